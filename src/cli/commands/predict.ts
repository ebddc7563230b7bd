// `lunet predict`: segments scans with one model, or with several as an ensemble.

import { Command, InvalidArgumentError, Option } from 'commander';
import { type Inference, MAX_OVERLAP } from '../../config/inference.js';
import { createEngine } from '../../engine/index.js';
import { UserError } from '../../errors.js';
import { type Prediction, type Outcome, predictCase } from '../../predict/case.js';
import { type Input, listInputs } from '../../predict/inputs.js';
import { findModel, inferenceOf, requireAgreement } from '../../predict/models.js';
import { destinationOf } from '../../predict/place.js';
import { loadEnsemble } from '../../inference/segment.js';
import { type OpenedModel } from '../../runs/network-file.js';
import { addExamples } from '../help.js';
import { nextCommand } from '../next.js';
import {
  engineOption,
  isaOption,
  jsonOption,
  parseFolder,
  seedsOption,
  setOption,
  threadsOption,
} from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { note, print, printJson, warn } from '../terminal/output.js';
import { startProgress } from '../terminal/progress.js';
import { formatTable } from '../terminal/table.js';

interface Options {
  readonly input: string;
  readonly output: string;
  readonly run?: string;
  readonly method?: string;
  readonly seeds?: number[];
  readonly split?: string;
  readonly set: string[];
  readonly probabilities?: boolean;
  readonly separate?: boolean;
  readonly overlap?: number;
  readonly mirror?: boolean;
  readonly force?: boolean;
  readonly engine: string;
  readonly isa?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('predict')
    .description(
      'Segments scans (NIfTI) and writes label maps on their own grids. Several models are averaged. Run again, it goes on ' +
        'with what is not done. For research, not for diagnosis.',
    )
    .argument('[models...]', 'model files, folders of runs, or names of shipped models')
    .addOption(
      new Option(
        '-i, --input <path>',
        'a scan, or a folder of scans (CASE.nii.gz, or CASE_0000.nii.gz a channel)',
      )
        .argParser(parseFolder)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('-o, --output <path>', 'a folder, or for one scan a file (.nii.gz, .nii)')
        .argParser(parseFolder)
        .makeOptionMandatory(),
    )
    .option('--run <experiment>', 'take the models of an experiment (config or name), with --method')
    .option('--method <name>', 'which of its methods: lunet-n4, "widest 50%", widest/50%-random; all seeds')
    .addOption(seedsOption())
    .option('--split <name>', 'only the models of this split; of folds, all are averaged by default')
    .addOption(setOption())
    .option('--probabilities', 'write CASE_probabilities.nii.gz too: one volume an output')
    .option('--separate', 'write a mask for each output, CASE/OUTPUT.nii.gz, instead of a label map')
    .addOption(
      new Option(
        '--overlap <part>',
        `part of a window that neighbouring windows share, 0 to ${MAX_OVERLAP}; default: as the model says, mostly 0.5`,
      ).argParser(parseOverlap),
    )
    .option(
      '--mirror',
      'average over mirrored scans, along the axes that were mirrored in training; default: as the model says, mostly not',
    )
    .option('--no-mirror', 'do not')
    .option('--force', 'replace results that are there')
    .addOption(engineOption())
    .addOption(isaOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(predict),
  [
    ['one scan, with a shipped model', 'lunet predict hippocampus -i scan.nii.gz -o seg.nii.gz'],
    [
      'a folder, with the model of a run',
      'lunet predict runs/hippocampus/train/lunet-n4/seed-1 -i scans -o seg',
    ],
    [
      'all seeds of a method as an ensemble',
      'lunet predict --run hippocampus --method lunet-n4 -i scans -o seg',
    ],
  ],
);

async function predict(names: readonly string[], options: Options): Promise<void> {
  const models = await openModels(names, options);
  requireAgreement(models);
  const inference = inferenceOf(models, options);
  const wanted = { separate: options.separate ?? false, probabilities: options.probabilities ?? false };
  const { outputs, channels } = (models[0] as OpenedModel).model;
  const inputs = listInputs(options.input, channels.length);
  const destination = destinationOf(options.input, options.output, wanted);
  const signal = interruptSignal('the same command goes on with what is not done');
  const { engine: name, isa, threads } = options;
  const engine = await createEngine(name, { threads, isa, warn, say: note, signal });
  const { device, threads: count } = engine.description;
  note(`Engine: ${engine.description.name} (${device}, ${count} thread${count === 1 ? '' : 's'})`);
  for (const { model, path } of models) note(`Model: ${model.name} (${path})`);
  const ensemble = await loadEnsemble(
    engine,
    models.map(({ model }) => model),
    inference,
  );
  const known = models.map(({ model, digest }) => ({ name: model.name, sha256: digest }));
  const making = { models: known.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)), ...inference };
  const shared = { ensemble, making, destination, wanted, force: options.force ?? false, signal };
  const results = await predictAll(shared, inputs).finally(() => ensemble.dispose());
  show(
    results,
    models,
    inference,
    outputs.map((output) => output.name),
    options,
  );
  const failed = results.flatMap(({ input, error }) => (error ? [{ input, error }] : []));
  if (failed.length > 0) {
    const kinds = new Set(failed.map(({ error }) => error.kind));
    throw new UserError(
      kinds.size === 1 ? (failed[0]?.error.kind ?? 'failed') : 'failed',
      [
        `${failed.length} of ${inputs.length} cases failed:`,
        ...failed.map(({ input, error }) => `  ${input.id}: ${error.message}`),
      ].join('\n'),
    );
  }
}

function parseOverlap(value: string): number {
  const overlap = Number(value);
  if (value.trim() === '' || !(overlap >= 0 && overlap <= MAX_OVERLAP))
    throw new InvalidArgumentError(`expected a number from 0 to ${MAX_OVERLAP}`);
  return overlap;
}

async function openModels(names: readonly string[], options: Options): Promise<OpenedModel[]> {
  const { run, method, seeds, split, set } = options;
  if (run === undefined) {
    if (names.length === 0)
      throw new UserError(
        'usage',
        'found no model, expected a model file, the folder of a run, or --run and --method',
      );
    const beside = {
      '--method': method,
      '--seeds': seeds,
      '--split': split,
      '--set': set.length > 0 ? set : undefined,
    };
    for (const [option, value] of Object.entries(beside))
      if (value !== undefined)
        throw new UserError('usage', `${option}: found no --run, expected the experiment it is of`);
    return names.map(findModel);
  }
  if (method === undefined)
    throw new UserError('usage', '--run: found no --method, expected the method to take');
  // Configs are read only where one is named: what reads them takes longer to load than a scan to segment.
  const { openExperiment } = await import('../experiment-file.js');
  const { modelsOfMethod } = await import('../../predict/method.js');
  const { config } = openExperiment(run, set);
  return [...names.map(findModel), ...modelsOfMethod(config, method, { seeds, split })];
}

interface CaseOutcome {
  readonly input: Input;
  readonly outcome?: Outcome;
  readonly error?: UserError;
  readonly seconds: number;
}

/** All cases, one after the other; those that fail do not stop the others. */
async function predictAll(shared: Prediction, inputs: readonly Input[]): Promise<CaseOutcome[]> {
  const results: CaseOutcome[] = [];
  const began = performance.now();
  const single = inputs.length === 1;
  const bar = single
    ? startProgress('Segmenting', 100, '%', { lines: 'tenths', vanish: true })
    : startProgress('Segmenting', inputs.length, 'case');
  try {
    for (const input of inputs) {
      shared.signal?.throwIfAborted();
      const start = performance.now();
      const windows = (done: number, total: number): void => {
        if (total > 1) bar.update(Math.floor((100 * done) / total));
      };
      const result = await predictCase(shared, input, single ? windows : undefined).then(
        (outcome) => ({ outcome }),
        (error: unknown) => {
          if (!(error instanceof UserError) || error.kind === 'interrupted') throw error;
          return { error };
        },
      );
      results.push({ input, ...result, seconds: (performance.now() - start) / 1000 });
      const done = results.filter(({ outcome }) => outcome?.status === 'done').length;
      const perMinute = (60_000 * done) / (performance.now() - began);
      if (!single) bar.update(results.length, done > 0 ? `${perMinute.toPrecision(2)} cases/min` : '');
    }
  } finally {
    bar.stop();
  }
  return results;
}

/** Prints volumes by case and output, or all there is to know as JSON; warnings on stderr. */
function show(
  results: readonly CaseOutcome[],
  models: readonly OpenedModel[],
  { overlap, mirror }: Inference,
  outputs: readonly string[],
  { json, output, separate }: Options,
): void {
  for (const { input, outcome } of results)
    for (const warning of outcome?.warnings ?? []) warn(`${input.id}: ${warning}`);
  const millilitres = ({ voxels, voxelVolume }: Outcome, name: string): number =>
    ((voxels[name] ?? 0) * voxelVolume) / 1000;
  if (json)
    return printJson({
      models: models.map(({ model, path, digest }) => ({ name: model.name, path, sha256: digest })),
      overlap,
      mirror,
      cases: results.map(({ input, outcome, error, seconds }) => ({
        case: input.id,
        inputs: input.files,
        status: outcome?.status ?? 'failed',
        seconds: Number(seconds.toFixed(3)),
        ...(outcome && {
          files: outcome.files,
          outputs: Object.fromEntries(
            outputs.map((name) => [name, { voxels: outcome.voxels[name], ml: millilitres(outcome, name) }]),
          ),
          warnings: outcome.warnings,
        }),
        ...(error && { error: error.message, kind: error.kind }),
      })),
    });
  const shown = results.flatMap(({ input, outcome, seconds }) =>
    outcome
      ? [
          [
            input.id,
            ...outputs.map((name) => millilitres(outcome, name).toPrecision(4)),
            outcome.status === 'skipped' ? 'done before' : `${seconds.toFixed(2)} s`,
          ],
        ]
      : [],
  );
  if (shown.length > 0) {
    const titles = outputs.map((name) => ({ title: `${name}, ml`, align: 'right' as const }));
    print(formatTable([{ title: 'Case' }, ...titles, { title: 'Time', align: 'right' }], shown));
    note(`\nWritten: ${output}`);
  }
  if (!separate && shown.length === results.length) note(`\nNext: ${evaluation(results, output)}`);
}

/** The command that compares the label maps with references, which the user has to name. */
function evaluation(results: readonly CaseOutcome[], output: string): string {
  const [file] = results.length === 1 ? (results[0]?.outcome?.files ?? []) : [];
  return nextCommand('evaluate', file === undefined ? ['REFERENCES', output] : ['REFERENCE', file], {});
}
