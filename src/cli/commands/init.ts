// `lunet init`: an experiment file for a dataset, with a reason for every setting.

import { lstatSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { loadExperiment } from '../../config/load.js';
import { inspectionRecord } from '../../data/inspect/record.js';
import { createEstimator } from '../../engine/index.js';
import { UserError } from '../../errors.js';
import { type Choice } from '../../init/choice.js';
import { chooseSettings } from '../../init/choices.js';
import { describeDataset } from '../../init/description.js';
import { experimentText } from '../../init/experiment-file.js';
import { freeMemory } from '../../memory.js';
import { commitFile, makeFolder } from '../../runs/commit.js';
import { datasetTables } from '../dataset-tables.js';
import { addExamples } from '../help.js';
import { nextCommand } from '../next.js';
import { engineOption, jsonOption, parseFolder } from '../options.js';
import { note, print, printJson, warn } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { inspectWithProgress, jobsOption, requireGood } from './data/inspect.js';

interface Options {
  readonly out: string;
  readonly force?: boolean;
  readonly jobs: number;
  readonly engine: string;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('init')
    .description(
      'Reads every file of a dataset (as `lunet data inspect` does) and writes an experiment file to train on it: spacing, whole ' +
        'volumes or patches, normalisation, levels, batch, split, each with the reason for it.',
    )
    .argument(
      '<root>',
      'folder of the dataset (Medical Segmentation Decathlon, nnU-Net, or images/ and labels/)',
    )
    .addOption(
      new Option('--out <file>', 'experiment file to write').default('lunet.yaml').argParser(parseFolder),
    )
    .option('--force', 'replace the file if it is there')
    .addOption(jobsOption())
    .addOption(engineOption())
    .addOption(jsonOption())
    .action(init),
  [
    ['an experiment on a dataset, in this folder', 'lunet init Task04_Hippocampus && lunet train'],
    ['another file', 'lunet init Dataset017_Organs --out organs.yaml'],
  ],
);

async function init(root: string, { out, force = false, jobs, engine, json }: Options): Promise<void> {
  requireFree(out, force);
  const facts = await inspectWithProgress(root, jobs);
  if (!json && facts.cases.length > 0) print(`${datasetTables(facts)}\n`);
  requireGood(facts);
  const here = resolve(dirname(out)) === resolve('.');
  const record = `${out.replace(/\.ya?ml$/i, '')}.inspected.json`;
  const choices = chooseSettings(
    facts,
    await describeDataset(root),
    // Paths in experiment files are relative to the folder in which commands are typed.
    here ? { root, inspected: basename(record) } : { root: resolve(root), inspected: resolve(record) },
    { estimateMemory: await estimator(engine), freeMemory: freeMemory() },
  );
  const text = experimentText(choices, [
    `Written by lunet init for ${root}: ${facts.cases.length} cases. Change what you like;`,
    'all settings with their defaults: lunet config --print, docs/config.md.',
  ]);
  makeFolder(dirname(out), 'choose another file with --out');
  commitFile(record, await inspectionRecord(facts));
  commitFile(out, text);
  // Also checks the file.
  const { config } = loadExperiment(out);
  if (json)
    printJson({
      file: out,
      record,
      config,
      choices: choices.map(({ path, ...rest }) => ({ key: path.join('.'), ...rest })),
    });
  else print(choiceTable(choices));
  note(`\nWritten: ${out}\n         ${record}`);
  note(`\nNext: ${nextCommand('train', [], out === 'lunet.yaml' ? {} : { path: out })}`);
}

/** Throws a UserError of kind `usage` if the file, or another one that counts as the config of its folder, is there. */
function requireFree(out: string, force: boolean): void {
  const there = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (!/\.ya?ml$/i.test(out))
    throw new UserError('usage', `--out: found ${out}, expected a file whose name ends in .yaml`);
  if (there(out) && !force)
    throw new UserError('usage', `${out}: is there already; --force replaces it, --out FILE writes another`);
  const other = basename(out) === 'lunet.yaml' ? join(dirname(out), 'lunet.yml') : undefined;
  if (other !== undefined && there(other))
    throw new UserError(
      'usage',
      `${other}: is there already, and commands would find both; --out FILE writes another`,
    );
}

async function estimator(name: string): Promise<Parameters<typeof chooseSettings>[3]['estimateMemory']> {
  const engine = await createEstimator(name, { warn, say: note });
  return (settings) => engine.estimateMemory(settings);
}

function choiceTable(choices: readonly Choice[]): string {
  return formatTable(
    [{ title: 'Setting' }, { title: 'Value' }, { title: 'Why' }],
    choices.map(({ path, value, why }) => [path.join('.'), shown(value), why]),
  );
}

/** A value in the short form of YAML. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${shown(each)}`)
    .join(', ')} }`;
}
