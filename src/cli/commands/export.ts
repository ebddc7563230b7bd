// `lunet export`: a model for programs other than lunet.

import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../../errors.js';
import { type ExportFormat } from '../../export/format.js';
import { exportFormats } from '../../export/index.js';
import { requireFree, writeExport } from '../../export/write.js';
import { findModel } from '../../predict/models.js';
import { quoteWord } from '../../quote-word.js';
import { addExamples } from '../help.js';
import { nextCommand } from '../next.js';
import { jsonOption, parseFolder } from '../options.js';
import { note, print, printJson } from '../terminal/output.js';

interface Options {
  readonly half?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  /** Paths by the name of the format. */
  readonly [format: string]: string | boolean | undefined;
}

const formatOption = ({ name, target, description }: ExportFormat): Option =>
  new Option(`--${name} <${target}>`, description).argParser(parseFolder);

const flags = exportFormats.map(({ name, target }) => `--${name} ${target.toUpperCase()}`);

const base = new Command('export')
  .description('Writes a trained model for programs other than lunet.')
  .argument('<model>', 'model file, the folder of the run that trained it, or the name of a shipped model');
for (const format of exportFormats) base.addOption(formatOption(format));

export const command = addExamples(
  base
    .option(
      '--half',
      'ONNX: store filters in half precision; two thirds of the size, the same within rounding',
    )
    .option('--force', 'replace files that are there')
    .addOption(jsonOption())
    .action(exportModel),
  [
    ['for ONNX Runtime', 'lunet export runs/default/train/lunet-n4/seed-1 --onnx lunet-n4.onnx'],
    ['a page that segments scans in a browser', 'lunet export hippocampus --html hippocampus.html'],
    ['with all that describes it', 'lunet export runs/default/train/lunet-n4/seed-1 --bundle lunet-n4'],
  ],
);

async function exportModel(argument: string, options: Options): Promise<void> {
  const { half = false, force = false, json = false } = options;
  const wanted = exportFormats.flatMap((format) => {
    const path = options[format.name];
    return typeof path === 'string' ? [{ format, path }] : [];
  });
  if (wanted.length === 0)
    throw new UserError('usage', `found nothing to export to, expected ${flags.join(' or ')}`);
  for (const { format, path } of wanted) requireFree(format, path, force);
  const { model, path: from } = findModel(argument);
  const itself = wanted.find(({ path }) => resolve(path) === resolve(from));
  if (itself)
    throw new UserError(
      'usage',
      `--${itself.format.name}: ${from}: is the model itself, expected another file`,
    );
  // All are made before the first is written.
  const made = [];
  for (const { format, path } of wanted)
    made.push({ format, files: await format.files(model, path, { half }) });
  for (const { format, files } of made) writeExport(format, files);
  const written = made.flatMap(({ format, files }) =>
    files.map(({ path, content }) => ({ format: format.name, path, bytes: Buffer.byteLength(content) })),
  );
  if (json) printJson({ model: model.name, from, half, files: written });
  else for (const { path, bytes } of written) print(`${path} (${(bytes / 1000).toFixed(1)} kB)`);
  const page = written.find(({ format }) => format === 'html');
  const predict = nextCommand('predict', ['-i', 'scan.nii.gz', '-o', 'segmentation.nii.gz'], {
    path: argument,
  });
  note(
    page
      ? `\nHow to use it: docs/page.md\nNext: open ${quoteWord(page.path)}`
      : `\nHow to run it: docs/export.md\nNext: ${predict}`,
  );
}
