// `lunet report`: writes tables, figures and a page from the runs so far.

import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { type Experiment } from '../../config/schema.js';
import { collectResults } from '../../report/results.js';
import { markdownTable, reportTables } from '../../report/tables.js';
import { writeReport } from '../../report/write.js';
import { quoteWord } from '../../quote-word.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { configArgument, jsonOption, setOption } from '../options.js';
import { noteLeftOut } from '../session.js';
import { note, print, printJson } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { REPORT, SUMMARY_FILE } from '../../runs/folders.js';

interface Options {
  readonly set: string[];
  readonly format: 'text' | 'md';
  readonly reference?: string;
  readonly figures: boolean;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('report')
    .description('Reads every run of the experiment, finished or not, and writes tables, figures and a page.')
    .addArgument(configArgument())
    .addOption(
      new Option('--format <name>', 'format of the tables on stdout').choices(['text', 'md']).default('text'),
    )
    .option(
      '--reference <model>',
      'the model that others are compared with; default: the first full-width unet',
    )
    .option('--no-figures', 'only tables and CSV files')
    .addOption(setOption())
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const { config, source } = openExperiment(path, options.set);
      return showReport(config, source, options);
    }),
  [
    ['tables in the terminal, files in the report folder', 'lunet report'],
    ['tables for a paper or a pull request', 'lunet report --format md'],
    ['compare with another model', 'lunet report --reference lunet-n4'],
  ],
);

/** Writes the report and prints its tables. */
export async function showReport(
  config: Experiment,
  source: string,
  { format = 'text', reference, figures = true, json }: Partial<Options>,
): Promise<void> {
  const results = collectResults(config, reference);
  const tables = reportTables(results);
  const folder = await writeReport(results, tables, figures);
  const { summary, crossValidation, comparisons, unfinished, leftOut } = results;
  const notes = tables.flatMap((table) => table.notes);
  if (json) printJson({ source, folder, summary, crossValidation, comparisons, notes, unfinished, leftOut });
  else if (format === 'md') print(tables.map(markdownTable).join('\n\n'));
  else
    for (const { title, columns, rows, notes } of tables)
      print(
        [title, ...(rows.length > 0 ? [formatTable(columns, rows)] : []), `${notes.join('\n')}\n`].join(
          '\n\n',
        ),
      );
  if (unfinished.length > 0) note(`Not finished:\n${unfinished.map((line) => `  ${line}`).join('\n')}`);
  noteLeftOut(leftOut);
  const shown = relative('', folder);
  note(
    `Written: ${shown}/${SUMMARY_FILE}, ${REPORT.steps}, ${REPORT.comparisons}${figures ? `\n         ${shown}/*.svg, *.png` : ''}`,
  );
  if (figures) note(`Next: open ${quoteWord(`${shown}/${REPORT.page}`)}`);
}
