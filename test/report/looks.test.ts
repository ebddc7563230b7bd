// Every method has a different look, in colour and in grey.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Look, assignLooks, lookAt, shownName } from '../../src/report/charts/looks.js';
import { type Results } from '../../src/report/results.js';

function distinct(looks: readonly Look[], parts: readonly (keyof Look)[]): number {
  return new Set(looks.map((look) => JSON.stringify(parts.map((part) => look[part])))).size;
}

it('the first 49 looks differ in two of colour, dash and marker, 343 in one', () => {
  const looks = Array.from({ length: 343 }, (_, i) => lookAt(i % 7, Math.floor(i / 7)));
  const first = looks.slice(0, 49);
  assert.equal(distinct(first, ['colour', 'dash']), 49);
  assert.equal(distinct(first, ['colour', 'marker']), 49);
  assert.equal(distinct(first, ['dash', 'marker']), 49);
  assert.equal(distinct(looks, ['colour', 'dash', 'marker']), 343);
});

/** Results with these methods; looks need no numbers. */
function resultsWith(models: readonly string[], strategies: readonly string[]): Results {
  const list = models.map(
    (name) => `{name: ${name}, family: ${name.startsWith('lunet') ? 'lunet' : 'unet'}, n: 2, levels: 2}`,
  );
  const { config } = loadExperiment(undefined, [`models=[${list.join(', ')}]`]);
  const of = (kind: string, methods: readonly string[]): object[] =>
    methods.map((method) => ({ kind, method }));
  const points = ['best', '75%', '50%', '25%', 'final'];
  return {
    config,
    records: [...of('train', models), ...of('prune', strategies)],
    summary: [
      ...of('train', models),
      ...strategies.flatMap((run) =>
        of(
          'prune',
          points.map((point) => `${run} ${point}`),
        ),
      ),
      ...strategies.flatMap((run) =>
        of(
          'retrain',
          ['75%', '50%', '25%'].map((point) => `${run}/${point}-random`),
        ),
      ),
    ],
  } as unknown as Results;
}

const keysOf = ({ records, summary }: Results): [kind: string, method: string][] =>
  [...records, ...summary]
    .map(({ kind, method }): [string, string] => [kind, method])
    .filter(([, method]) => !/ (best|final)$/.test(method));

it('seven models, three strategies and their snapshots: no look twice, one colour a pruning run', () => {
  const models = ['unet-n4', 'unet-n4-75', 'unet-n4-50', 'unet-n4-25', 'lunet-n8', 'lunet-n4', 'lunet-n2'];
  const results = resultsWith(models, ['stamp', 'random-in-block', 'widest']);
  const looks = assignLooks(results);
  const keys = new Map(keysOf(results).map((key) => [key.join(), key]));
  const all = [...keys.values()].map(([kind, method]) => looks(kind, method));
  assert.equal(all.length, 7 + 3 * 7);
  for (const parts of [
    ['colour', 'dash'],
    ['colour', 'marker'],
    ['dash', 'marker'],
  ] as const)
    assert.equal(distinct(all, parts), all.length, parts.join());
  for (const run of ['stamp', 'random-in-block', 'widest']) {
    const own = [looks('prune', run), looks('prune', `${run} 75%`), looks('retrain', `${run}/25%-random`)];
    assert.equal(distinct(own, ['colour']), 1, run);
    assert.deepEqual(looks('prune', `${run} best`), looks('prune', run));
  }
});

it('forty models and two pruning runs of models with spaces: no look twice', () => {
  const models = Array.from({ length: 40 }, (_, i) => `net ${i}`);
  const results = resultsWith(models, ['stamp@net 1', 'stamp@net 11', 'stamp@net 1-trained']);
  const looks = assignLooks(results);
  const keys = new Map(keysOf(results).map((key) => [key.join(), key]));
  const all = [...keys.values()].map(([kind, method]) => looks(kind, method));
  assert.equal(all.length, 40 + 3 * 7);
  assert.equal(distinct(all, ['colour', 'dash', 'marker']), all.length);
});

it('names in figures tell kinds apart', () => {
  const names = [shownName('train', 'stamp'), shownName('prune', 'stamp'), shownName('retrain', 'stamp')];
  assert.equal(new Set(names).size, 3);
});
