// Warns if cases for one network differ in orientation, spacing or dimensions. These are not errors, since for some data the
// differences do not matter.

import { type Experiment } from '../config/schema.js';
import { type CaseFacts } from './case.js';
import { type Extent } from './preprocess.js';

type Grid = Pick<CaseFacts, 'id' | 'size' | 'spacing' | 'orientation'>;

/** The largest ratio of spacings without a warning. */
const MAX_RATIO = 1.1;
const MOST_NAMED = 5;

/** One line for each kind of difference, with counts and cases. */
export function differences(
  cases: readonly Grid[],
  { spacing, orientation }: Pick<Experiment['preprocessing'], 'spacing' | 'orientation'>,
): string[] {
  return [
    ...(orientation === 'keep' ? differingOrientations(cases) : []),
    ...(spacing === undefined ? differingSpacings(cases) : []),
    ...flatAmongSolid(cases),
  ];
}

function differingOrientations(cases: readonly Grid[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { id, orientation } of cases) groups.set(orientation, [...(groups.get(orientation) ?? []), id]);
  if (groups.size < 2) return [];
  const [[most, ids], ...others] = [...groups].sort((a, b) => b[1].length - a[1].length) as [
    [string, string[]],
    ...[string, string[]][],
  ];
  const rest = others.map(([codes, few]) => `${few.length} ${codes} (${named(few)})`);
  return [
    `orientations differ: ${ids.length} cases ${most}, ${rest.join(', ')}: volumes are not turned, so left and right or ` +
      'up and down change places among cases; to have all turned alike, set preprocessing.orientation: RAS',
  ];
}

function differingSpacings(cases: readonly Grid[]): string[] {
  const tooFar = (a: number, b: number): boolean => Math.max(a / b, b / a) > MAX_RATIO * (1 + 1e-6);
  // In-plane and slice spacing may each change by less than the limit while the shape of a voxel changes by more.
  const shape = ({ spacing: [x, y, z] }: Grid): number[] => [x, y, z, x / y, y / z, z / x];
  const shapes = cases.map(shape);
  const range = shapes[0]?.map((_, i) => {
    const values = shapes.map((numbers) => numbers[i] as number);
    return { least: Math.min(...values), most: Math.max(...values) };
  });
  if (!range?.some(({ least, most }) => tooFar(least, most))) return [];
  const wanted = [0, 1, 2].map((axis) => median(cases.map(({ spacing }) => spacing[axis] as number)));
  const far = cases.filter(({ spacing }) => spacing.some((mm, axis) => tooFar(mm, wanted[axis] as number)));
  const axes = ['x', 'y', 'z'].map((axis, i) => {
    const { least, most } = range[i] as { least: number; most: number };
    return `${axis} ${short(least)}${short(least) === short(most) ? '' : ` to ${short(most)}`}`;
  });
  const key = `preprocessing.spacing: [${wanted.map(short).join(', ')}]`;
  return [
    `spacings differ by more than 10 %: ${axes.join(', ')} mm` +
      (far.length > 0
        ? `, ${far.length} of ${cases.length} cases far from the median (${named(far.map(({ id }) => id))})`
        : '') +
      `: the same thing has different sizes in voxels; to resample all to the median, set ${key}`,
  ];
}

function flatAmongSolid(cases: readonly Grid[]): string[] {
  const flat = cases.filter(({ size }: { size: Extent }) => size.includes(1));
  if (flat.length === 0 || flat.length === cases.length) return [];
  return [
    `dimensions differ: ${flat.length} of ${cases.length} cases are 2D, a single voxel along an axis ` +
      `(${named(flat.map(({ id }) => id))}): they are padded with zeros; leave them out of the split if they do not belong`,
  ];
}

/** The first few ids, and the number of further ones. */
function named(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

const short = (mm: number): string => String(Number(mm.toPrecision(3)));
