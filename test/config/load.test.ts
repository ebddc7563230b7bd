import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { modelArchitecture, modelName, prunedModel } from '../../src/config/models.js';
import { type Experiment } from '../../src/config/schema.js';
import { UserError } from '../../src/errors.js';

const BASE = `experiment: tiny
dataset:
  layout: phantom
  phantom: { cases: 6, size: 16 }
  labels: { organ: [1, 2] }
  split: { train: 4, test: 2 }
preprocessing:
  size: [16, 16, 16]
models:
  - { family: lunet, n: 4, levels: 3 }
  - { family: unet, n: 4, levels: 3, scale: 0.5 }
training:
  epochs: 2
`;

const file = join(mkdtempSync(join(tmpdir(), 'lunet-')), 'tiny.yaml');

function load(text: string, overrides: string[] = []): Experiment {
  writeFileSync(file, text);
  return loadExperiment(file, overrides).config;
}

function complaint(text: string, overrides: string[] = []): string {
  try {
    load(text, overrides);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, 'usage');
    return error.message.replaceAll(file, 'FILE');
  }
  return 'accepted';
}

test('a short file gets every default, and what is resolved loads again to the same', () => {
  const config = load(BASE);
  assert.deepEqual(config.models.map(modelName), ['lunet-n4', 'unet-n4-50']);
  assert.deepEqual(config.training, {
    epochs: 2,
    batch: 16,
    learningRate: 0.01,
    cooldown: 0,
    schedule: 'cooldown',
    warmup: 0,
    loss: 'dice',
    batchDice: true,
    adam: { beta1: 0.9, beta2: 0.999 },
    dropout: 0.05,
    augmentation: 'none',
    seeds: [1, 2, 3],
    patience: 0,
    evaluateEvery: 1,
  });
  // No full-width unet here, so the first model is pruned.
  assert.equal(config.pruning.model, 'lunet-n4');
  assert.equal(modelName(prunedModel(config)), 'lunet-n4');
  assert.equal(config.pruning.dropout.initial, 0.005);
  assert.deepEqual(config.retraining, {
    strategies: ['stamp', 'random-in-block', 'widest'],
    snapshots: [75, 50, 25],
    init: ['random'],
    epochs: 2,
  });
  assert.deepEqual(load(JSON.stringify(config)), config);
});

test('an explicit model gives its widths', () => {
  const explicit = '{name: pruned, family: explicit, encoder: [[4, 3], [6]], decoder: [[2]], up: [5]}';
  const [model] = load(BASE, [`models=[${explicit}]`]).models;
  assert.deepEqual(model && modelArchitecture(model, 2, 1), {
    inputChannels: 2,
    labels: 1,
    skips: true,
    encoder: [[4, 3], [6]],
    decoder: [[2]],
    up: [5],
  });
});

test('--set wins over LUNET_OUTPUT, which wins over the file, which wins over the default', () => {
  assert.equal(load(BASE).output, 'runs');
  assert.equal(load(`output: here\n${BASE}`).output, 'here');
  process.env['LUNET_OUTPUT'] = 'there';
  try {
    assert.equal(load(`output: here\n${BASE}`).output, 'there');
    assert.equal(load(BASE, ['output=elsewhere']).output, 'elsewhere');
  } finally {
    delete process.env['LUNET_OUTPUT'];
  }
});

test('--set reads YAML, reaches into lists, makes groups, takes keys out', () => {
  const config = load(BASE, [
    'models.0.n=8',
    'models.1.scale=',
    'pruning.dropout.base=0.1',
    'dataset.split={train: [a, b], test: [c]}',
    'training.epochs=',
    'experiment="no"',
  ]);
  assert.deepEqual(config.models.map(modelName), ['lunet-n8', 'unet-n4']);
  assert.equal(config.pruning.dropout.initial, 0.01);
  assert.deepEqual(config.dataset.split, { train: ['a', 'b'], validation: 0, test: ['c'], seed: 0 });
  assert.equal(config.training.epochs, 30);
  assert.equal(config.experiment, 'no');
});

test('names that only look like those of runs are good', () => {
  const names = ['random-unet', 'stamped', 'widest U', 'best', 'unet-trained', 'seed-one'];
  const models = names.map((name) => `{name: ${name}, family: lunet, n: 4, levels: 3}`);
  assert.deepEqual(load(BASE, [`models=[${models.join(', ')}]`]).models.map(modelName), names);
});

const edits: [what: string, from: string | RegExp, to: string, message: string][] = [
  ['a misspelt key', 'epochs', 'epocs', 'FILE:13:3: training.epocs: unknown key (did you mean epochs?)'],
  [
    'a key that is like no other',
    'epochs: 2',
    'wombat: 2',
    'FILE:13:3: training.wombat: unknown key, expected one of epochs, batch, patch, learningRate, cooldown, schedule, warmup, loss, batchDice, adam, dropout, augmentation, seeds, patience, evaluateEvery',
  ],
  [
    'a key of the other family',
    'n: 4, levels: 3 }',
    'n: 4, encoder: [[4]] }',
    'FILE:10:28: models.0.encoder: unknown key, expected one of name, family, n, levels, convs, skips, scale',
  ],
  [
    'a wrong type',
    'epochs: 2',
    'epochs: many',
    'FILE:13:11: training.epochs: found "many", expected a number',
  ],
  [
    'a preset of augmentation that there is not',
    'epochs: 2',
    'augmentation: standart',
    'FILE:13:17: training.augmentation: found "standart", expected none, light, standard or a group of steps (did you mean standard?)',
  ],
  [
    'mirroring in evaluations that training does not do',
    'epochs: 2',
    'augmentation: { mirror: [y, z] }\ninference: { mirror: [z, x] }',
    'FILE:14:26: inference.mirror.1: found x, expected axes along which training mirrors (training.augmentation.mirror): y, z',
  ],
  [
    'mirroring in evaluations without any in training',
    'epochs: 2',
    'augmentation: none\ninference: { mirror: [z] }',
    'FILE:14:23: inference.mirror.0: found z, expected axes along which training mirrors (training.augmentation.mirror): none, so leave inference.mirror empty',
  ],
  [
    'an overlap that would have no end',
    'epochs: 2',
    'epochs: 2\ninference: { overlap: 1 }',
    'FILE:14:23: inference.overlap: found 1, expected at most 0.9',
  ],
  [
    'a step of augmentation that there is not',
    'epochs: 2',
    'augmentation: { rotations: { probability: 1 } }',
    'FILE:13:19: training.augmentation.rotations: unknown key (did you mean rotation?)',
  ],
  [
    'a probability above 1',
    'epochs: 2',
    'augmentation: { noise: { probability: 2 } }',
    'FILE:13:41: training.augmentation.noise.probability: found 2, expected at most 1',
  ],
  [
    'a step of augmentation without its probability',
    'epochs: 2',
    'augmentation: { preset: light, blur: { range: [0.5, 1] } }',
    'FILE:13:40: training.augmentation.blur.probability: missing, expected a number from 0 to 1: preset light leaves this step out',
  ],
  [
    'a range upside down',
    'epochs: 2',
    'augmentation: { preset: standard, gamma: { range: [1.5, 0.7] } }',
    'FILE:13:53: training.augmentation.gamma.range: found [1.5, 0.7], expected the lower value first',
  ],
  [
    'a turn of more than half a circle',
    'epochs: 2',
    'augmentation: { rotation: { probability: 1, degrees: 270 } }',
    'FILE:13:56: training.augmentation.rotation.degrees: found 270, expected at most 180',
  ],
  [
    'an axis mirrored twice',
    'epochs: 2',
    'augmentation: { mirror: [x, x] }',
    'FILE:13:27: training.augmentation.mirror: found x twice',
  ],
  [
    'patience without validation cases',
    'epochs: 2',
    'patience: 3',
    'FILE:13:13: training.patience: found 3, but a split has no validation cases, on which it depends: set validation in the split, or patience: 0',
  ],
  [
    'a fraction',
    'epochs: 2',
    'epochs: 2.5',
    'FILE:13:11: training.epochs: found 2.5, expected a whole number',
  ],
  ['too little', 'epochs: 2', 'epochs: 0', 'FILE:13:11: training.epochs: found 0, expected at least 1'],
  [
    'a number where text is wanted',
    'experiment: tiny',
    'experiment: 007',
    'FILE:1:13: experiment: found 7, expected text; in quotes it is text: "007"',
  ],
  [
    'a batch of one for a standard deviation over it',
    'epochs: 2',
    'batch: 1\npruning: { criterion: l1-std }',
    'FILE:13:10: training.batch: found 1, expected at least 2 for pruning.criterion l1-std',
  ],
  ['a missing key', 'experiment: tiny\n', '', 'FILE:1:1: experiment: missing, expected text'],
  [
    'a missing nested key',
    '{ train: 4, test: 2 }',
    '{ train: 4 }',
    'FILE:6:10: dataset.split.test: missing, expected a number of cases or a list of case ids',
  ],
  [
    'a misspelt name',
    'layout: phantom',
    'layout: phantm',
    'FILE:3:11: dataset.layout: found "phantm", expected one of phantom, decathlon, nnunet, folders (did you mean phantom?)',
  ],
  [
    'a misspelt family',
    'family: unet',
    'family: uunet',
    'FILE:11:15: models.1.family: found "uunet", expected one of unet, lunet, explicit (did you mean unet?)',
  ],
  [
    'a path as name',
    'experiment: tiny',
    'experiment: ../tiny',
    'FILE:1:13: experiment: found "../tiny", expected a name of letters, digits and . _ @ + -',
  ],
  [
    'two sizes',
    '[16, 16, 16]',
    '[16, 16]',
    'FILE:8:9: preprocessing.size: found a list of 2, expected three whole numbers: voxels along x, y, z',
  ],
  [
    'a size that cannot be halved often enough',
    '[16, 16, 16]',
    '[16, 18, 16]',
    'FILE:8:14: preprocessing.size.1: found 18, expected a multiple of 4 for the 3 levels of lunet-n4, such as 16 or 20',
  ],
  [
    'a size smaller than any',
    '[16, 16, 16]',
    '[16, 2, 16]',
    'FILE:8:14: preprocessing.size.1: found 2, expected a multiple of 4 for the 3 levels of lunet-n4, such as 4',
  ],
  [
    'neither a size nor patches',
    'size: [16, 16, 16]',
    'orientation: keep',
    'FILE:8:3: preprocessing.size: missing, expected voxels along x, y, z (or training.patch, for volumes of any size)',
  ],
  [
    'a size and patches',
    '  epochs: 2',
    '  patch: { size: [8, 8, 8] }',
    'FILE:8:9: preprocessing.size: found a list of 3 beside training.patch, with which volumes keep their size: remove one',
  ],
  [
    'a patch that cannot be halved often enough',
    /size: \[16, 16, 16\]([^]*)epochs: 2/,
    'orientation: keep$1patch: { size: [8, 10, 8], perCase: 2, perEpoch: 9 }',
    'FILE:13:10: training.patch: found both of perCase and perEpoch, expected one\n' +
      'FILE:13:22: training.patch.size.1: found 10, expected a multiple of 4 for the 3 levels of lunet-n4, such as 8 or 12',
  ],
  [
    'more cases than there are',
    'train: 4',
    'train: 5',
    'FILE:6:10: dataset.split: found 7 cases, expected at most the 6 of dataset.phantom.cases',
  ],
  [
    'lists that overlap',
    '{ train: 4, test: 2 }',
    '{ train: [a, b], test: [b] }',
    'FILE:6:33: dataset.split.test: found b, which is in train already',
  ],
  [
    'a list beside a count',
    '{ train: 4, test: 2 }',
    '{ train: [a], test: 2 }',
    'FILE:6:30: dataset.split.test: found a count beside a list (train), expected lists of case ids or counts only',
  ],
  [
    'a case id that YAML takes for a number',
    '{ train: 4, test: 2 }',
    '{ train: [a], test: [3] }',
    'FILE:6:31: dataset.split.test.0: found 3, expected text; in quotes it is text: "3"',
  ],
  [
    'nothing to test on',
    'test: 2',
    'test: 0',
    'FILE:6:28: dataset.split.test: found no case, expected at least one',
  ],
  [
    'no split',
    '  split: { train: 4, test: 2 }\n',
    '',
    'FILE:3:3: dataset: found neither of split and splits, expected one',
  ],
  [
    'a folder that would not be read',
    'layout: phantom',
    'layout: phantom\n  root: data',
    'FILE:4:9: dataset.root: found "data", expected none: layout phantom reads no files (to read files, set dataset.layout to decathlon, nnunet or folders)',
  ],
  [
    'no folder',
    'layout: phantom',
    'layout: decathlon',
    "FILE:3:3: dataset.root: missing, expected the dataset's folder (or: --set dataset.root=DIR)",
  ],
  ['a label value twice', '[1, 2]', '[1, 1]', 'FILE:5:20: dataset.labels.organ: found the value 1 twice'],
  [
    'the background as label',
    '[1, 2]',
    '[0, 1]',
    'FILE:5:21: dataset.labels.organ.0: found 0, expected at least 1',
  ],
  [
    'a label name whose order JavaScript would change',
    'organ:',
    '1:',
    'FILE:5:13: dataset.labels.1: found this key, expected a name that starts with a letter, then letters, digits, spaces and . _ -',
  ],
  [
    'one name for two models',
    'unet, n: 4, levels: 3, scale: 0.5',
    'lunet, n: 4, levels: 2',
    'FILE:11:5: models.1.name: found two models named lunet-n4; rename one of them',
  ],
  [
    'models that differ in case, spaces and dots only',
    '{ family: unet, n: 4',
    '{ name: "LUNET-n4. ", family: unet, n: 4',
    'FILE:11:13: models.1.name: found "lunet-n4" and "LUNET-n4. ", which some file systems or tables treat as the same name; rename one of them',
  ],
  [
    'a model named like a pruning run',
    '{ family: unet, n: 4',
    '{ name: Widest, family: unet, n: 4',
    'FILE:11:13: models.1.name: found Widest, expected a name that is not that of pruning runs (stamp, random-in-block, widest, random)',
  ],
  [
    'a model named like a pruning run by another criterion',
    '{ family: unet, n: 4',
    '{ name: stamp-l1-std@x-trained, family: unet, n: 4',
    'FILE:11:13: models.1.name: found stamp-l1-std@x-trained, expected a name that is not that of pruning runs (stamp, random-in-block, widest, random)',
  ],
  [
    "a model named like a pruning run's network",
    '{ family: unet, n: 4',
    '{ name: our best, family: unet, n: 4',
    'FILE:11:13: models.1.name: found our best, expected a name that is not like that of a network of a pruning run: it ends in best',
  ],
  [
    'a model named like another that pruning starts from',
    '{ family: unet, n: 4',
    '{ name: lunet-n4-trained, family: unet, n: 4',
    'FILE:11:13: models.1.name: found lunet-n4-trained, expected a name that is not that of pruning runs which start from the trained lunet-n4',
  ],
  [
    "a model named like a seed's folder",
    '{ family: unet, n: 4',
    '{ name: seed-1, family: unet, n: 4',
    "FILE:11:13: models.1.name: found seed-1, expected a name that is not that of a seed's folder",
  ],
  [
    'splits that differ in case only',
    'split: { train: 4, test: 2 }',
    'splits: { a: { train: 4, test: 2 }, A: { train: 3, test: 2 } }',
    'FILE:6:39: dataset.splits.A: found "a" and "A", which some file systems or tables treat as the same name; rename one of them',
  ],
  [
    'splits that differ in a dot at the end',
    'split: { train: 4, test: 2 }',
    'splits: { a: { train: 4, test: 2 }, a.: { train: 3, test: 2 } }',
    'FILE:6:39: dataset.splits.a.: found "a" and "a.", which some file systems or tables treat as the same name; rename one of them',
  ],
  [
    'a name that is too long for a folder',
    '{ family: unet, n: 4',
    `{ name: ${'海'.repeat(61)}, family: unet, n: 4`,
    'FILE:11:13: models.1.name: found a name of 183 bytes, expected at most 180: it becomes part of file names',
  ],
  [
    'labels whose columns would be the same',
    '{ organ: [1, 2] }',
    '{ an organ: 1, An-Organ: 2 }',
    'FILE:5:11: dataset.labels: found two labels with the same column name an_organ, an organ and An-Organ; expected names that differ in letters or digits',
  ],
  [
    'a label named like the mean over labels',
    '{ organ: [1, 2] }',
    '{ organ: 1, Mean: 2 }',
    'FILE:5:23: dataset.labels.Mean: found this name, expected another one: the mean over labels is called mean',
  ],
  [
    'a model to prune that is not there',
    'training:',
    'pruning: { model: lunet-n5 }\ntraining:',
    'FILE:12:19: pruning.model: found lunet-n5, expected one of the models: lunet-n4, unet-n4-50 (did you mean lunet-n4?)',
  ],
  [
    'a snapshot that is not taken',
    'training:',
    'retraining: { snapshots: [40] }\ntraining:',
    'FILE:12:27: retraining.snapshots.0: found 40, expected one of pruning.snapshots: 75, 50, 25',
  ],
  [
    'a snapshot of everything',
    'training:',
    'pruning: { snapshots: [100] }\ntraining:',
    'FILE:12:24: pruning.snapshots.0: found 100, expected less than 100',
  ],
  ['a seed twice', 'epochs: 2', 'seeds: [1, 2, 1]', 'FILE:13:10: training.seeds: found 1 twice'],
  [
    'a misspelt normalisation',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  normalisation: zscore',
    'FILE:9:18: preprocessing.normalisation: found "zscore", expected z-score, z-score-nonzero, ct, none, {window: [lo, hi]} or {percentile: [lo, hi]}, or a list with one of them for each channel (did you mean z-score?)',
  ],
  [
    'a misspelt normalisation of a channel',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  normalisation: [ct, zscore]',
    'FILE:9:23: preprocessing.normalisation.1: found "zscore", expected z-score, z-score-nonzero, ct, none, {window: [lo, hi]} or {percentile: [lo, hi]} (did you mean z-score?)',
  ],
  [
    'a percentile of a channel upside down',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  normalisation: [ct, { percentile: [3, 1] }]',
    'FILE:9:37: preprocessing.normalisation.1.percentile: found [3, 1], expected the lower value first',
  ],
  [
    'antialiasing of what is not resampled',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  antialias: true',
    'FILE:9:14: preprocessing.antialias: found true without preprocessing.spacing, expected a spacing to resample to',
  ],
  [
    'a window upside down',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  normalisation: { window: [3, 1] }',
    'FILE:9:28: preprocessing.normalisation.window: found [3, 1], expected the lower value first',
  ],
  [
    'a word in a window',
    'size: [16, 16, 16]',
    'size: [16, 16, 16]\n  normalisation: { window: [3, x] }',
    'FILE:9:32: preprocessing.normalisation.window.1: found "x", expected a number',
  ],
];

for (const [what, from, to, message] of edits) {
  test(`names ${what}`, () => {
    const text = BASE.replace(from, to);
    assert.notEqual(text, BASE);
    assert.equal(complaint(text), message);
  });
}

const overrides: [override: string, message: string][] = [
  ['training.epochs', '--set training.epochs: expected KEY=VALUE, such as --set training.epochs=10'],
  ['=3', '--set =3: expected KEY=VALUE, such as --set training.epochs=10'],
  ['trainig.epochs=3', '--set: trainig: unknown key (did you mean training?)'],
  ['training.epochs.x=3', '--set: training.epochs: found a group of keys, expected a number'],
  ['models.2.n=3', '--set models.2.n=3: found entry 2, expected 0 to 1'],
  ['models.length=0', '--set models.length=0: found entry length, expected 0 to 1'],
  ['__proto__.n=3', '--set __proto__.n=3: __proto__.n is not a key'],
  ['training..n=3', '--set training..n=3: training..n is not a key'],
  ['training.epochs=.inf', '--set training.epochs=.inf: found .inf, expected a finite number'],
  ['training.epochs=process.exit()', '--set: training.epochs: found "process.exit()", expected a number'],
  ['experiment=a #b', `--set experiment=a #b: #b would be a comment; as text: --set 'experiment="a #b"'`],
  [
    'experiment=007',
    `--set: experiment: found 7, expected text; in quotes it is text: --set 'experiment="007"'`,
  ],
  [
    'experiment=1e3',
    `--set: experiment: found 1000, expected text; in quotes it is text: --set 'experiment="1e3"'`,
  ],
  [
    'experiment=true',
    `--set: experiment: found true, expected text; in quotes it is text: --set 'experiment="true"'`,
  ],
  [
    'dataset.split={train: [001], test: [b]}',
    '--set: dataset.split.train.0: found 1, expected text; in quotes it is text: "001"',
  ],
  [
    'dataset.channels=[1, t2]',
    '--set: dataset.channels.0: found 1, expected text; in quotes it is text: "1"',
  ],
  [
    'output=@x',
    `--set output=@x: Plain value cannot start with reserved character @; as text: --set 'output="@x"'`,
  ],
  ['models=[]', '--set: models: found a list of 0, expected a list of at least 1'],
];

for (const [override, message] of overrides) {
  test(`names what is wrong with --set ${override}`, () =>
    assert.equal(complaint(BASE, [override]), message));
}

test('all problems are named at once, those between sections too', () => {
  const text = BASE.replace('epochs', 'epocs')
    .replace('train: 4', 'train: 9')
    .replace('experiment: tiny', 'exp: 1');
  assert.deepEqual(complaint(text).split('\n'), [
    'FILE:1:1: experiment: missing, expected text',
    'FILE:13:3: training.epocs: unknown key (did you mean epochs?)',
    'FILE:1:1: exp: unknown key, expected one of experiment, output, dataset, preprocessing, models, training, inference, metrics, tolerance, pruning, retraining',
    'FILE:6:10: dataset.split: found 11 cases, expected at most the 6 of dataset.phantom.cases',
  ]);
});

test('of very many problems the first twenty are named, and the rest counted', () => {
  const keys = Array.from({ length: 25 }, (_, i) => `  wombat${i}: 1\n`).join('');
  const lines = complaint(BASE + keys).split('\n');
  assert.equal(lines.length, 21);
  assert.equal(lines[20], 'and 5 more problems');
});

test('a file that is no config is named', () => {
  const missing = `${file}.nope`;
  assert.throws(() => loadExperiment(missing), {
    message: `${missing}: no such file or folder; expected an experiment config (YAML)`,
  });
  assert.equal(complaint(''), 'FILE: found nothing, expected keys such as experiment and dataset');
  assert.equal(complaint('- a'), 'FILE: found a list of 1, expected keys such as experiment and dataset');
});

/** Loads what a folder that is made so leads to. */
function inFolder(make: () => void): string {
  const before = process.cwd();
  process.chdir(mkdtempSync(join(tmpdir(), 'lunet-')));
  try {
    make();
    return loadExperiment().source;
  } catch (error) {
    assert.ok(error instanceof UserError && error.kind === 'usage', String(error));
    return error.message;
  } finally {
    process.chdir(before);
  }
}

test('the config of the working folder is lunet.yaml or lunet.yml, and never passed over', () => {
  assert.match(
    inFolder(() => undefined),
    /default\.yaml$/,
  );
  assert.equal(
    inFolder(() => writeFileSync('lunet.yaml', BASE)),
    'lunet.yaml',
  );
  assert.equal(
    inFolder(() => writeFileSync('lunet.yml', BASE)),
    'lunet.yml',
  );
  assert.equal(
    inFolder(() => ['lunet.yaml', 'lunet.yml'].forEach((name) => writeFileSync(name, BASE))),
    'found both lunet.yaml and lunet.yml, expected one; give the name of one of them',
  );
  assert.match(
    inFolder(() => symlinkSync('/nowhere/lunet.yaml', 'lunet.yaml')),
    /^lunet\.yaml: is a broken link/,
  );
  assert.match(
    inFolder(() => mkdirSync('lunet.yaml')),
    /^lunet\.yaml: is a folder/,
  );
  assert.match(
    inFolder(() => symlinkSync('lunet.yaml', 'lunet.yaml')),
    /^lunet\.yaml: its links lead in a circle/,
  );
});

test('a file is read whatever its line ends, and only if it may be', () => {
  assert.equal(load(`\ufeff${BASE.replaceAll('\n', '\r\n')}`).experiment, 'tiny');
  if (process.getuid?.() === 0) return; // root may read everything
  chmodSync(file, 0o000);
  try {
    assert.throws(() => loadExperiment(file), /permission denied/);
  } finally {
    rmSync(file);
  }
});

test('a pipe is read to its end, late writers included', async () => {
  const pipe = join(mkdtempSync(join(tmpdir(), 'lunet-')), 'pipe');
  if (spawnSync('mkfifo', [pipe]).status !== 0) return;
  const writer = spawn('sh', ['-c', 'sleep 0.3; cat "$0" > "$1"', file, pipe]);
  writeFileSync(file, BASE);
  assert.equal(loadExperiment(pipe).config.experiment, 'tiny');
  await once(writer, 'exit');
});
