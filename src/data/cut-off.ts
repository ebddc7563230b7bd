// Labelled voxels that cropping removed: no network can find them, and Dice does not count them.

import { type Split } from './split.js';

/** Labelled voxels that some cases lost. */
export interface CutOff {
  /** The number of cases that lost labelled voxels; `worst` lost the largest share. */
  readonly cases: number;
  readonly worst?: { readonly id: string; readonly voxels: number; readonly total: number };
  /** Labelled voxels that were lost; `total` is their number before cropping. Of all outputs. */
  readonly voxels: number;
  readonly total: number;
}

/** The same for the training, validation and test cases of a split. */
export type SplitCutOff = Readonly<Record<keyof Split, CutOff>>;

/** A case with the voxels of each label index before cropping, and those left after it. */
interface Counted {
  readonly id: string;
  readonly labelled: { readonly before: readonly number[]; readonly kept: readonly number[] };
}

/** The labelled voxels that these cases lost by cropping to preprocessing.size, counted after resampling. */
function cutOff(cases: readonly Counted[]): CutOff {
  const counted = cases.map(({ id, labelled: { before, kept } }) => {
    const total = sum(before.slice(1));
    return { id, total, voxels: total - sum(kept.slice(1)) };
  });
  const losers = counted.filter(({ voxels }) => voxels > 0);
  const [worst] = losers.sort((a, b) => b.voxels / b.total - a.voxels / a.total);
  return {
    cases: losers.length,
    ...(worst && { worst }),
    voxels: sum(counted.map(({ voxels }) => voxels)),
    total: sum(counted.map(({ total }) => total)),
  };
}

/** The same for the training, validation and test cases of a split. */
export function cutOffParts(split: Split, cases: readonly Counted[]): SplitCutOff {
  const part = (ids: readonly string[]): CutOff => {
    const wanted = new Set(ids);
    return cutOff(cases.filter(({ id }) => wanted.has(id)));
  };
  return { train: part(split.train), validation: part(split.validation), test: part(split.test) };
}

/** A warning with counts, if anything was cut off. */
export function cutOffWarning(cases: readonly Counted[]): string[] {
  const { cases: count, worst, voxels, total } = cutOff(cases);
  if (worst === undefined) return [];
  const percent = (part: number, whole: number): string =>
    `${Number(((100 * part) / whole).toPrecision(2))} %`;
  return [
    `cropping to preprocessing.size cut off ${voxels} of ${total} labelled voxels (${percent(voxels, total)}) in ` +
      `${count} of ${cases.length} cases, most of ${worst.id} (${percent(worst.voxels, worst.total)}): no Dice counts ` +
      'them; set a larger preprocessing.size',
  ];
}

/** A sentence about what the cases of a split lost; undefined if nothing. */
export function describeCutOff(parts: SplitCutOff): string | undefined {
  const lost = Object.entries(parts).flatMap(([part, { cases, voxels, total }]) =>
    cases > 0 ? [`${voxels} of ${total} in ${cases} ${part} case${cases > 1 ? 's' : ''}`] : [],
  );
  return lost.length === 0
    ? undefined
    : `Cropping to preprocessing.size cut off labelled voxels, which no Dice counts: ${lost.join(', ')}.`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
