// Labelled voxels that cropping left outside: no network can find them, and no Dice counts them.

import { type Split } from './split.js';

/** Of some cases. */
export interface CutOff {
  /** Cases that lost labelled voxels, and which of them lost the largest share. */
  readonly cases: number;
  readonly worst?: { readonly id: string; readonly voxels: number; readonly total: number };
  /** Labelled voxels lost, of all that there were; of any output. */
  readonly voxels: number;
  readonly total: number;
}

/** By part of a split. */
export type SplitCutOff = Readonly<Record<keyof Split, CutOff>>;

/** A case with the voxels of each label index before cropping, and those left after it. */
interface Counted {
  readonly id: string;
  readonly labelled: { readonly before: readonly number[]; readonly kept: readonly number[] };
}

/** What cropping to preprocessing.size cut off from these cases, counted after resampling. */
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

/** The same for each part of a split. */
export function cutOffParts(split: Split, cases: readonly Counted[]): SplitCutOff {
  const part = (ids: readonly string[]): CutOff => {
    const wanted = new Set(ids);
    return cutOff(cases.filter(({ id }) => wanted.has(id)));
  };
  return { train: part(split.train), validation: part(split.validation), test: part(split.test) };
}

/** A line with counts, if anything was cut off. */
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

/** What was cut off from a split, part by part, in a sentence; undefined if nothing was. */
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
