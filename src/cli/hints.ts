// Commands and options of other tools that lunet names differently or lacks, and what to type instead. One line each.

import { quoteWord } from '../quote-word.js';

const TESTED = 'training ends with the test cases (cases.csv of each run)';

/** Commands that lunet does not have. */
const COMMANDS: Readonly<Record<string, string>> = {
  plan: 'to choose settings for a dataset: lunet init FOLDER',
  new: 'to start from the shipped experiment: lunet config --print > experiment.yaml',
  infer: 'type: lunet predict',
  inference: 'type: lunet predict',
  segment: 'type: lunet predict',
  test: `${TESTED}; for the tables: lunet report; for files: lunet evaluate REFERENCE PREDICTION`,
  eval: `${TESTED}; for the tables: lunet report; for files: lunet evaluate REFERENCE PREDICTION`,
  metrics: `${TESTED}; for the tables: lunet report; for files: lunet evaluate REFERENCE PREDICTION`,
  plot: 'figures are part of the report: lunet report',
  visualize: 'figures are part of the report: lunet report',
  visualise: 'figures are part of the report: lunet report',
  compare: 'comparisons are part of the report: lunet report',
  summary: 'for tables of results: lunet report; of networks: lunet info',
  results: 'for tables of results: lunet report',
  resume: 'the same command resumes unfinished runs: lunet run',
  continue: 'the same command resumes unfinished runs: lunet run',
  validate: 'to check a config: lunet config',
  check: 'to check a config: lunet config; to check this machine: lunet doctor',
  fit: 'type: lunet train',
  preprocess: 'training preprocesses by itself: lunet train',
  list: 'for the runs and their progress: lunet status',
  ls: 'for the runs and their progress: lunet status',
  submit: 'for Slurm: lunet run --executor slurm',
  slurm: 'for Slurm: lunet run --executor slurm',
  benchmark: 'type: lunet bench',
  install: 'for TensorFlow: lunet setup tensorflow; to check what is here: lunet doctor',
  version: 'type: lunet --version',
};

/** The replacement for an option that lunet does not have: words from its value and the name of the command. */
interface OptionHint {
  readonly words: (value: string, command: string) => readonly string[];
  /** Whether the next word is its value; else only text after an equals sign, or a number, is. */
  readonly takes: boolean;
  /** A further remark. */
  readonly remark?: string;
}

const setting = (key: string): OptionHint => ({
  takes: true,
  words: (value) => ['--set', `${key}=${value}`],
});
const EPOCHS: Readonly<Record<string, string>> = {
  prune: 'pruning.recoveryEpochs',
  retrain: 'retraining.epochs',
};
const epochs: OptionHint = {
  takes: true,
  words: (value, command) => ['--set', `${EPOCHS[command] ?? 'training.epochs'}=${value}`],
};
const seed: OptionHint = {
  takes: true,
  words: (value, command) =>
    ['train', 'prune', 'retrain'].includes(command)
      ? ['--seeds', value]
      : ['--set', `training.seeds=[${value}]`],
};
const gpu: OptionHint = {
  takes: false,
  words: () => ['--engine', 'tensorflow'],
  remark: 'once: lunet setup tensorflow --cuda',
};
const nothing = (remark: string, takes: boolean): OptionHint => ({ takes, words: () => [], remark });
/** The value itself, as the config argument. */
const config: OptionHint = { takes: true, words: (value) => [value] };
const renamed = (flag: string): OptionHint => ({ takes: true, words: (value) => [flag, value] });
const workers = nothing('volumes are read by several workers anyway; --threads is for the engine', true);
const resume = nothing('the same command resumes unfinished runs', false);

const OPTIONS: Readonly<Record<string, OptionHint>> = {
  '--epochs': epochs,
  '--epoch': epochs,
  '--lr': setting('training.learningRate'),
  '--learning-rate': setting('training.learningRate'),
  '--batch': setting('training.batch'),
  '--batch-size': setting('training.batch'),
  '--batchsize': setting('training.batch'),
  '--dropout': setting('training.dropout'),
  '--seed': seed,
  '--gpu': gpu,
  '--gpus': gpu,
  '--cuda': gpu,
  '--device': {
    takes: true,
    words: (value, command) => (value === 'cpu' ? ['--engine', 'native'] : gpu.words(value, command)),
    remark: 'for a GPU, once: lunet setup tensorflow --cuda',
  },
  '--output': setting('output'),
  '--output-dir': setting('output'),
  '--out': setting('output'),
  '-o': setting('output'),
  '--name': setting('experiment'),
  '--experiment': setting('experiment'),
  '--data': setting('dataset.root'),
  '--data-dir': setting('dataset.root'),
  '--dataset': setting('dataset.root'),
  '--root': setting('dataset.root'),
  '--config': config,
  '--cfg': config,
  '-c': config,
  '--workers': workers,
  '--num-workers': workers,
  '--resume': resume,
  '--continue': resume,
  '--models': renamed('--model'),
  '--splits': renamed('--split'),
  '--strategies': renamed('--strategy'),
  '--snapshot': renamed('--from-snapshot'),
  '--snapshots': renamed('--from-snapshot'),
  '--chill': { takes: false, words: () => ['--allow-missing'] },
  '--force': { takes: false, words: () => ['--overwrite'] },
};

/** What to type instead of a command that lunet does not have. */
export function commandHint(name: string): string | undefined {
  if (/\.ya?ml$/i.test(name)) return `to train it: lunet train ${quoteWord(name)}`;
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/**
 * The whole command line with corrections: `type: lunet train --set training.epochs=5`. Undefined if there is no hint for
 * the unknown option. `known` are options that the command has; they are kept.
 */
export function optionHint(
  flag: string,
  words: readonly string[],
  command: string,
  known: ReadonlySet<string>,
): string | undefined {
  if (!Object.hasOwn(OPTIONS, flag)) return undefined;
  const line: string[] = [];
  const remarks = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const [name, ...rest] = word.split('=') as [string, ...string[]];
    const hint = !known.has(name) && Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (hint === undefined) {
      line.push(word);
      continue;
    }
    const next = words[i + 1];
    const follows =
      rest.length === 0 && next !== undefined && (hint.takes ? !next.startsWith('-') : /^\d+$/.test(next));
    if (follows) i++;
    line.push(...hint.words(rest.length > 0 ? rest.join('=') : follows ? next : 'VALUE', command));
    if (hint.remark !== undefined) remarks.add(hint.remark);
  }
  return `type: lunet ${line.map(quoteWord).join(' ')}${remarks.size > 0 ? ` (${[...remarks].join('; ')})` : ''}`;
}
