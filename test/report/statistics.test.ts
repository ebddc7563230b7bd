import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { holm, medianInterval, wilcoxon } from '../../src/report/statistics.js';

interface Fixture {
  readonly samples: Record<string, { differences: number[]; wilcoxon: number; interval: [number, number] }>;
  readonly holm: { p: number[]; adjusted: number[] };
}
const fixture = JSON.parse(
  readFileSync(new URL('../../../test/report/fixtures/statistics.json', import.meta.url), 'utf8'),
) as Fixture;

describe('SciPy', () => {
  for (const [name, { differences, wilcoxon: p, interval }] of Object.entries(fixture.samples)) {
    it(`gives the same p for ${name}`, () => {
      assert.ok(
        Math.abs(wilcoxon(differences) - p) <= 1e-9 * Math.max(1, p) + 1e-6 * p,
        `${wilcoxon(differences)}, ${p}`,
      );
    });
    it(`gives about the same bootstrap interval for ${name}`, () => {
      // Two bootstraps of a median may differ by a few neighbouring values.
      const spread = Math.max(...differences) - Math.min(...differences);
      for (const [i, bound] of medianInterval(differences).entries())
        assert.ok(Math.abs(bound - (interval[i] as number)) <= 0.04 * spread, `${bound}, ${interval[i]}`);
    });
  }
});

it('Holm corrects in the order of p and never lets a larger p become the smaller', () => {
  for (const [i, p] of holm(fixture.holm.p).entries())
    assert.ok(Math.abs(p - (fixture.holm.adjusted[i] as number)) < 1e-12);
});
