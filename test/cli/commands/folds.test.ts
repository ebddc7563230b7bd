// Cross-validation from the command line, with folds of a file as nnU-Net writes it: each fold is a split for every command.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { emptyFolder, lunet } from '../lunet.js';

const ids = Array.from({ length: 5 }, (_, i) => `phantom_00${i + 1}`);
const FOLDS = [
  { train: [ids[0], ids[1], ids[2]], val: [ids[3], ids[4]] },
  { train: [ids[3], ids[4]], val: [ids[0], ids[1], ids[2]] },
];

const YAML = `experiment: folded
dataset:
  layout: decathlon
  root: data
  labels: { hippocampus: [1, 2] }
  split: { file: splits_final.json }
preprocessing: { size: [16, 16, 16] }
models: [{ family: unet, n: 2, levels: 2, convs: 1 }]
training: { epochs: 1, batch: 2, seeds: [1] }
pruning: { strategies: [widest], snapshots: [50], recoveryEpochs: 1 }
retraining: { epochs: 1 }
`;

describe('an experiment with folds of a file', () => {
  const cwd = emptyFolder();
  const file = join(cwd, 'data/splits_final.json');
  const env = { LUNET_CACHE: 'off' };
  const succeed = (...args: string[]): { stdout: string; stderr: string } => {
    const { status, stdout, stderr } = lunet(args, { cwd, env });
    assert.equal(status, 0, `lunet ${args.join(' ')}: ${stderr}`);
    return { stdout, stderr };
  };
  const fail = (code: number, ...args: string[]): string => {
    const { status, stderr } = lunet(args, { cwd, env });
    assert.equal(status, code, stderr);
    return stderr.replace(/^Config: .*\n/, '');
  };

  before(() => {
    succeed('data', 'phantom', '--cases', '5', '--size', '16', '--out', 'data');
    writeFileSync(join(cwd, 'lunet.yaml'), YAML);
    writeFileSync(file, JSON.stringify(FOLDS));
  });

  it('is refused in one line for a fold, a file or a case that does not exist', () => {
    assert.equal(
      fail(2, 'train', '--split', 'fold-2'),
      'error: --split: found fold-2, expected one of fold-0, fold-1 (did you mean fold-0?)\n',
    );
    assert.match(
      fail(3, 'config', '--set', 'dataset.split.file=gone.json'),
      /^error: data\/gone\.json: no such file or folder; expected the folds of dataset\.split\.file[^\n]*\n$/,
    );
    writeFileSync(file, JSON.stringify([{ ...FOLDS[0], val: ['phantom_04'] }, FOLDS[1]]));
    assert.equal(
      fail(3, 'config'),
      'error: splits_final.json: there is no case phantom_04 (did you mean phantom_004?)\n',
    );
    writeFileSync(file, JSON.stringify(FOLDS));
  });

  it('trains, prunes and retrains a fold, tested on its val', () => {
    succeed('train', '--split', 'fold-1');
    succeed('prune', '--split', 'fold-1', '--strategy', 'widest');
    succeed('retrain', '--split', 'fold-1');
    const record = JSON.parse(
      readFileSync(join(cwd, 'runs/folded/split-fold-1/train/unet-n2/seed-1/run.json'), 'utf8'),
    ) as { cases: unknown };
    assert.deepEqual(record.cases, { train: FOLDS[1]?.train, validation: [], test: FOLDS[1]?.val });
    const { runs } = JSON.parse(succeed('status', '--json').stdout) as {
      runs: { id: string; state: string }[];
    };
    assert.deepEqual(
      runs.map(({ id, state }) => [id, state]),
      ['train/unet-n2/seed-1', 'prune/widest/seed-1', 'retrain/widest/50%-random/seed-1'].flatMap((id) => [
        [`split-fold-0/${id}`, 'missing'],
        [`split-fold-1/${id}`, 'finished'],
      ]),
    );
    assert.match(
      succeed('report', '--no-figures').stdout,
      /^Left out of cross-validation: seed 1 of trained unet-n2, .*, without a result in fold-0\.$/m,
    );
  });

  it('does the other folds with lunet run, and reports the cross-validated Dice', () => {
    const { crossValidation } = JSON.parse(succeed('run', '--jobs', '2', '--json').stdout) as {
      crossValidation: { rows: { method: string; seeds: number[]; cases: number }[]; incomplete: unknown[] };
    };
    assert.deepEqual(crossValidation.incomplete, []);
    const trained = crossValidation.rows.find(({ method }) => method === 'unet-n2');
    assert.deepEqual([trained?.seeds, trained?.cases], [[1], 5]);
  });

  it('segments with the networks of all folds, or of one', () => {
    const predict = (...args: string[]): number | undefined => {
      const scan = ['-i', `data/imagesTr/${ids[0]}.nii.gz`, '-o', 'out.nii.gz', '--force'];
      const words = ['--run', 'lunet.yaml', '--method', 'widest 50%', ...scan, ...args];
      return succeed('predict', ...words).stderr.match(/^Model: /gm)?.length;
    };
    assert.equal(predict(), 2);
    assert.equal(predict('--split', 'fold-0'), 1);
  });

  it('takes no runs of other folds', () => {
    const [first, second] = FOLDS as [(typeof FOLDS)[number], (typeof FOLDS)[number]];
    writeFileSync(file, JSON.stringify([second, first]));
    assert.match(
      fail(1, 'report'),
      /split-fold-0\/train\/unet-n2\/seed-1: was made with other settings: dataset\.split/,
    );
  });
});
