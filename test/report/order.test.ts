// The order of methods in tables and figures.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { inPaperOrder } from '../../src/report/order.js';

it("methods stand in the paper's order", () => {
  const models = [
    '{family: lunet, n: 2, levels: 4}',
    '{family: unet, n: 4, levels: 4, scale: 0.5}',
    '{family: unet, n: 4, levels: 4}',
    '{family: lunet, n: 8, levels: 4}',
  ];
  const { config } = loadExperiment(undefined, [`models=[${models.join(', ')}]`]);
  const wanted = [
    'train unet-n4',
    'train unet-n4-50',
    'prune stamp best',
    'prune stamp chosen on validation',
    'prune stamp 75%',
    'prune stamp 50%',
    'prune stamp final',
    'prune stamp-l1 best',
    'prune random-in-block best',
    'prune widest best',
    'prune widest final',
    'prune random best',
    'retrain stamp/75%-random',
    'retrain stamp/75%-rewind',
    'retrain stamp/25%-random',
    'retrain widest/50%-random',
    'train lunet-n8',
    'train lunet-n2',
  ];
  const rows = [...wanted].sort().map((text) => {
    const [kind, ...method] = text.split(' ') as [string, ...string[]];
    return { kind, method: method.join(' ') };
  });
  assert.deepEqual(
    inPaperOrder(config, rows).map(({ kind, method }) => `${kind} ${method}`),
    wanted,
  );
});
