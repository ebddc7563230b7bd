// Runs with metrics besides Dice, as a user starts them: their files, their report, and that kills change nothing.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../../src/config/load.js';
import { loadDataset } from '../../../src/data/dataset.js';
import { createEngine } from '../../../src/engine/index.js';
import { countOverlap, measure } from '../../../src/evaluation/measure.js';
import { readRunModel } from '../../../src/runs/network-file.js';
import { readRun, type RunRecord } from '../../../src/runs/run.js';
import { settingsFor } from '../../../src/training/network-settings.js';
import { planTraining } from '../../../src/training/training-runs.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';
import { TINY } from '../tiny.js';

const METRICS = `${TINY}metrics: [nsd, hd95]\ntolerance: 1.5\n`;
const TRAIN = ['train', '--model', 'lunet-n2', '--seeds', '1'];
const PRUNE = ['prune', '--strategy', 'stamp', '--seeds', '1'];
const TRAINED = 'runs/tiny/train/lunet-n2/seed-1';
const PRUNED = 'runs/tiny/prune/stamp/seed-1';

function workFolder(): string {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), METRICS);
  return cwd;
}

const recordOf = (cwd: string, run: string): RunRecord => readRun(join(cwd, run)) as RunRecord;

describe('further metrics of runs', () => {
  const whole = workFolder();
  it('are in the files of training, and are those of the masks that its model predicts', async () => {
    const { status, stdout, stderr } = lunet(TRAIN, { cwd: whole });
    assert.equal(status, 0, stderr);
    const record = recordOf(whole, TRAINED);
    const means = record.testMetrics?.means;
    assert.match(stdout, /Test Dice +MAD +HD95, mm +NSD at 1\.5 mm +Misses +Seeds/);
    const shown = [
      record.testDice?.[0]?.toFixed(4),
      '0.0000',
      means?.hd95?.[0]?.toFixed(3) ?? '',
      means?.nsd?.[0]?.toFixed(4),
    ];
    assert.match(stdout, new RegExp(`${shown.join(' +')} +${record.testMetrics?.misses[0]} +1 `));
    const { config } = loadExperiment(join(whole, 'lunet.yaml'));
    const dataset = await loadDataset(config);
    const { model } = readRunModel(join(whole, TRAINED), record);
    const settings = settingsFor(config.training, record.architecture, dataset, 1);
    const engine = await createEngine('auto');
    const network = await engine.load(settings, model.weights);
    const rows = readCsv(join(whole, TRAINED, 'cases.csv'));
    assert.deepEqual(Object.keys(rows[0] ?? {}), ['case', 'dice', 'dice_hippocampus', 'hd95_mm', 'hd95_mm_hippocampus', 'nsd', 'nsd_hippocampus']); // prettier-ignore
    const values: { hd95: number; nsd: number }[] = [];
    for (const [i, id] of record.cases.test.entries()) {
      const { image, label } = dataset.sample(id);
      const size = [16, 16, 16] as const;
      const pair = {
        reference: label.map((index) => Number(index > 0)),
        prediction: Uint8Array.from(await network.predict([image], 'running'), (p) => Number(p > 0.5)),
        size,
        spacing: dataset.spacing(id),
      };
      const found = measure(pair, countOverlap(pair, label.length), 1.5);
      values.push(found);
      const row = rows[i] ?? {};
      assert.equal(row['dice'], String(found.dice));
      assert.equal(row['hd95_mm'], found.hd95 === Infinity ? 'inf' : String(found.hd95));
      assert.equal(row['nsd_hippocampus'], String(found.nsd));
    }
    network.dispose();
    const mean = (values.reduce((sum, { nsd }) => sum + nsd, 0) / values.length).toFixed(12);
    assert.equal(record.testMetrics?.means.nsd?.[0]?.toFixed(12), mean);
  });
  it('are in those of pruning at snapshots and at the end, and in the report', () => {
    const { status, stderr } = lunet(PRUNE, { cwd: whole });
    assert.equal(status, 0, stderr);
    const { pruning } = recordOf(whole, PRUNED);
    for (const step of [...Object.values(pruning?.snapshots ?? {}), pruning?.final])
      assert.equal(step?.testMetrics?.misses.length, 2);
    assert.equal(pruning?.best.testMetrics, undefined);
    assert.ok('nsd' in (readCsv(join(whole, PRUNED, 'cases-50.csv'))[0] ?? {}));
    assert.ok(!('nsd' in (readCsv(join(whole, PRUNED, 'cases-best.csv'))[0] ?? {})));
    const { stdout } = lunet(['report', '--no-figures'], { cwd: whole });
    assert.match(stdout, /Test metrics on the training grid/);
    assert.match(stdout, /HD95, mm.*NSD at 1\.5 mm.*Misses/);
    const trained = readCsv(join(whole, 'runs/tiny/report/summary.csv')).find(
      (row) => row['kind'] === 'train',
    );
    const nsd = recordOf(whole, TRAINED).testMetrics?.means.nsd?.[0];
    assert.equal(trained?.['nsd_median'], String(nsd));
  });
  for (const [args, run, failpoint] of [
    [TRAIN, TRAINED, 'ended:1'],
    [PRUNE, PRUNED, 'scored:3'],
  ] as const)
    it(`are the same bits when ${args[0]} is killed and resumed`, () => {
      const cwd = workFolder();
      const killed = lunet(args, { cwd, env: { LUNET_FAILPOINT: failpoint } });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assert.equal(lunet(args, { cwd }).status, 0);
      const { testMetrics, pruning } = recordOf(cwd, run);
      const expected = recordOf(whole, run);
      assert.deepEqual([testMetrics, pruning], [expected.testMetrics, expected.pruning]);
      for (const file of run === PRUNED ? ['cases.csv', 'cases-75.csv', 'cases-best.csv'] : ['cases.csv'])
        assert.equal(
          readFileSync(join(cwd, run, file), 'utf8'),
          readFileSync(join(whole, run, file), 'utf8'),
        );
    });
  it('belong to the settings of a run, where they are not Dice alone', () => {
    const { status, stderr } = lunet([...TRAIN, '--set', 'tolerance=2'], { cwd: whole });
    assert.equal(status, 2);
    assert.match(stderr, /tolerance \(1\.5 then, 2 now\)/);
    const folder = emptyFolder();
    writeFileSync(join(folder, 'tiny.yaml'), TINY);
    const identityOf = (...settings: string[]): object =>
      planTraining(loadExperiment(join(folder, 'tiny.yaml'), settings).config, {})[0]?.identity ?? {};
    const plain = Object.keys(identityOf('metrics=[dice]', 'tolerance=3'));
    assert.deepEqual(plain, ['dataset', 'preprocessing', 'model', 'training']);
    assert.deepEqual(
      identityOf('metrics=[hd95, iou]', 'tolerance=3'),
      identityOf('metrics=[dice, iou, hd95]'),
    );
  });
});
