// Means over folds, and paired statistics to compare two methods case by case.

import { stream } from '../random.js';

const RESAMPLES = 2000;

/** The mean over all cases of several groups, from the mean and the number of cases of each. */
export function pooledMean(groups: readonly { readonly mean: number; readonly cases: number }[]): number {
  const cases = groups.reduce((sum, group) => sum + group.cases, 0);
  return groups.reduce((sum, group) => sum + group.mean * group.cases, 0) / cases;
}

/** The 95 % percentile-bootstrap interval of the median of values, from 2,000 resamples with a fixed seed. */
export function medianInterval(values: readonly number[]): [low: number, high: number] {
  const random = stream(1, 'bootstrap', values.length);
  const sorted = Float64Array.from(values);
  const resample = new Float64Array(sorted.length);
  const medians = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < resample.length; i++) resample[i] = sorted[random.integer(sorted.length)] as number;
    resample.sort();
    const middle = resample.length >> 1;
    medians[r] =
      resample.length % 2 === 1
        ? (resample[middle] as number)
        : ((resample[middle - 1] as number) + (resample[middle] as number)) / 2;
  }
  medians.sort();
  return [quantile(medians, 0.025), quantile(medians, 0.975)];
}

/** Linear interpolation between ranks, the default of NumPy. */
function quantile(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] as number;
  return below + ((sorted[Math.ceil(rank)] as number) - below) * (rank - Math.floor(rank));
}

/**
 * Two-sided p of the Wilcoxon signed-rank test that paired differences are symmetric about 0, with the defaults of SciPy:
 * zeros are left out; exact for up to 50 differences without zeros and ties, else the normal approximation with a tie
 * correction and without a continuity correction. 1 if all differences are zero.
 */
export function wilcoxon(differences: readonly number[]): number {
  const used = differences.filter((d) => d !== 0);
  const n = used.length;
  if (n === 0) return 1;
  const { ranks, tieSum } = rankAbsolute(used);
  let plus = 0;
  for (const [i, d] of used.entries()) if (d > 0) plus += ranks[i] as number;
  const minus = (n * (n + 1)) / 2 - plus;
  const statistic = Math.min(plus, minus);
  if (n <= 50 && tieSum === 0 && n === differences.length) return exactP(statistic, n);
  const mean = (n * (n + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieSum / 48;
  const z = (statistic - mean) / Math.sqrt(variance);
  return Math.min(1, complementaryError(Math.abs(z) / Math.SQRT2));
}

/** Average ranks of absolute values, and the sum of t^3 - t over groups of t equal values. */
function rankAbsolute(values: readonly number[]): { ranks: Float64Array; tieSum: number } {
  const order = values
    .map((_, i) => i)
    .sort((a, b) => Math.abs(values[a] as number) - Math.abs(values[b] as number));
  const ranks = new Float64Array(values.length);
  let tieSum = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    const size = (i: number): number => Math.abs(values[order[i] as number] as number);
    while (to + 1 < order.length && size(to + 1) === size(from)) to++;
    const group = to - from + 1;
    tieSum += group ** 3 - group;
    for (let i = from; i <= to; i++) ranks[order[i] as number] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return { ranks, tieSum };
}

/** Twice the probability of a rank sum of at most `statistic` if both signs are equally likely. */
function exactP(statistic: number, n: number): number {
  const largest = (n * (n + 1)) / 2;
  let ways = new Float64Array(largest + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    const next = ways.slice();
    for (let sum = rank; sum <= largest; sum++)
      next[sum] = (next[sum] as number) + (ways[sum - rank] as number);
    ways = next;
  }
  let below = 0;
  for (let sum = 0; sum <= statistic; sum++) below += ways[sum] as number;
  return Math.min(1, (2 * below) / 2 ** n);
}

/** erfc(x) for x >= 0. For large x by its continued fraction, since 1 - erf(x) would lose all digits. */
function complementaryError(x: number): number {
  if (x < 2) return erfcSeries(x);
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/** 1 - erf(x) by the Taylor series of erf, which converges quickly for small x. */
function erfcSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return 1 - (2 / Math.sqrt(Math.PI)) * sum;
}

/** Holm's correction of p values for multiple comparisons; in the order given. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const corrected = new Array<number>(values.length);
  let largest = 0;
  for (const [position, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - position) * (values[i] as number)));
    corrected[i] = largest;
  }
  return corrected;
}
