// The shipped experiments on phantoms of their kind, unchanged except for fewer and smaller cases and fewer epochs.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { shippedConfigs } from '../../../src/config/shipped.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';

const SPLIT = '{train: 2, test: 2, seed: 0}';
const SHIPPED: readonly { name: string; kind: string; size: number; splits: string[]; models: number }[] = [
  { name: 'harp', kind: 'hippocampus', size: 16, splits: ['large', 'small'], models: 7 },
  { name: 'submandibular-gland', kind: 'gland', size: 16, splits: [], models: 5 },
  { name: 'tracheal-tree', kind: 'trachea', size: 16, splits: [], models: 5 },
  { name: 'hippocampus', kind: 'hippocampus', size: 16, splits: [], models: 2 },
  { name: 'patches', kind: 'gland', size: 24, splits: [], models: 2 },
];

for (const { name, kind, size, splits, models } of SHIPPED)
  it(`configs/${name}.yaml runs on phantoms`, () => {
    const cwd = emptyFolder();
    const made = lunet(
      ['data', 'phantom', '--kind', kind, '--cases', '4', '--size', String(size), '--out', 'phantoms'],
      { cwd },
    );
    assert.equal(made.status, 0, made.stderr);
    const small = [
      'dataset.root=phantoms',
      ...(name === 'patches'
        ? ['training.patch={size: [16, 16, 16]}', 'preprocessing.spacing=[6, 6, 6]']
        : [`preprocessing.size=[${size}, ${size}, ${size}]`]),
      'training.epochs=1',
      'training.batch=1',
      'training.seeds=[1]',
      ...(splits.length > 0
        ? splits.map((split) => `dataset.splits.${split}=${SPLIT}`)
        : [`dataset.split=${SPLIT}`]),
    ].flatMap((setting) => ['--set', setting]);
    const config = join(shippedConfigs, `${name}.yaml`);
    const trained = lunet(['train', config, ...small], { cwd });
    assert.equal(trained.status, 0, trained.stderr);
    for (const split of splits.length > 0 ? splits.map((part) => `split-${part}`) : ['']) {
      const rows = readCsv(join(cwd, 'runs', name, split, 'summary.csv'));
      assert.equal(new Set(rows.map((row) => row['method'])).size, models);
    }
    // A network of the same kind, narrow enough to be pruned to the end in a test.
    const narrow = [
      '--set',
      'models=[{family: unet, n: 1, levels: 3, convs: 1}]',
      '--set',
      'pruning.model=unet-n1',
    ];
    const quick = [
      ...small,
      ...narrow,
      '--set',
      'pruning.recoveryEpochs=1',
      '--set',
      `experiment=${name}-narrow`,
    ];
    for (const command of [['prune'], ['retrain', '--from-snapshot', '50%'], ['report', '--no-figures']]) {
      const { status, stderr } = lunet([command[0] as string, config, ...command.slice(1), ...quick], {
        cwd,
      });
      assert.equal(status, 0, stderr);
    }
    assert.ok(existsSync(join(cwd, 'runs', `${name}-narrow`, 'report', 'summary.csv')));
  });
