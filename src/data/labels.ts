// Maps label values in files to the label indices of samples, and indices to network outputs.

import { type Experiment } from '../config/schema.js';
import { type LabelTargets } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { type Listing } from './layouts/layout.js';

type Labels = Experiment['dataset']['labels'];

/** The index (1 to 255) of each label value that the config names, in ascending order of values, then of the ignored value. */
export function labelIndices({
  labels,
  ignore,
}: Pick<Experiment['dataset'], 'labels' | 'ignore'>): ReadonlyMap<number, number> {
  const values = [...new Set(Object.values(labels).flat())].sort((a, b) => a - b);
  if (ignore !== undefined) values.push(ignore);
  if (values.length > 255)
    throw new UserError('usage', `dataset.labels: found ${values.length} label values, expected at most 255`);
  return new Map(values.map((value, i) => [value, i + 1]));
}

/** For each index, a bit mask of the outputs that it belongs to. */
export function labelTargets(labels: Labels, indices: ReadonlyMap<number, number>): LabelTargets {
  const targets = new Uint32Array(256);
  for (const [output, values] of Object.values(labels).entries())
    for (const value of [values].flat()) {
      const index = indices.get(value) as number;
      targets[index] = ((targets[index] as number) | (1 << output)) >>> 0;
    }
  return targets;
}

/** The config with nnU-Net's ignore label: the value that dataset.json names `ignore`, which must be the highest there. */
export function withIgnore(
  config: Experiment,
  listing: Pick<Listing, 'labels'> | undefined,
): { readonly config: Experiment; readonly note: readonly string[] } {
  const { dataset } = config;
  const { labels: known } = listing ?? {};
  const described = known && [...known.names].find(([, name]) => name === 'ignore')?.[0];
  const used = Object.values(dataset.labels).flat();
  if (known === undefined || described === undefined) return { config, note: [] };
  if (dataset.ignore !== undefined || used.includes(described)) return { config, note: [] };
  const highest = Math.max(...known.names.keys());
  if (described !== highest)
    throw new UserError(
      'data',
      `${known.key}: ignore: found ${described}, expected the highest value, ${highest + 1}, as nnU-Net has it`,
    );
  return {
    config: { ...config, dataset: { ...dataset, ignore: described } },
    note: [`voxels of value ${described} are left out of loss and measures: ${known.key} names it ignore`],
  };
}

/**
 * Converts stored label values to indices. Values within 1e-3 of an integer are rounded; for others throws a UserError with
 * their counts. Also throws for values that the config does not name, unless they count as background: returns the most
 * frequent of those with their numbers of voxels.
 */
export function toIndices(
  voxels: Float32Array | Float64Array | Uint8Array,
  indices: ReadonlyMap<number, number>,
  file: string,
  isBackground: (value: number) => boolean,
): { label: Uint8Array; rounded: number; others: [value: number, voxels: number][] } {
  const label = new Uint8Array(voxels.length);
  const broken = new Map<number, number>();
  const unknown = new Map<number, number>();
  let rounded = 0;
  for (let i = 0; i < voxels.length; i++) {
    const stored = voxels[i] as number;
    if (stored === 0) continue;
    const value = Math.round(stored);
    if (value !== stored) {
      if (!(Math.abs(value - stored) <= 1e-3)) {
        count(broken, stored);
        continue;
      }
      rounded++;
    }
    const index = value === 0 ? 0 : indices.get(value);
    if (index === undefined) count(unknown, value);
    else label[i] = index;
  }
  if (broken.size > 0)
    throw new UserError('data', `${file}: found label values ${listed(broken)}, expected whole numbers`);
  const refused = new Map([...unknown].filter(([value]) => !isBackground(value)));
  if (refused.size > 0)
    throw new UserError(
      'data',
      `${file}: found label values ${listed(refused)}, expected 0 or one of dataset.labels: ` +
        `${[...indices.keys()].join(', ')} (to count all others as background: dataset.others: background)`,
    );
  return { label, rounded, others: frequent(unknown) };
}

/** A warning with the values that counted as background although not 0, and their numbers of voxels and cases. */
export function othersWarning(
  cases: readonly { readonly others: readonly (readonly [value: number, voxels: number])[] }[],
): string[] {
  const values = new Map<number, { cases: number; voxels: number }>();
  for (const { others } of cases)
    for (const [value, voxels] of others) {
      const known = values.get(value) ?? { cases: 0, voxels: 0 };
      values.set(value, { cases: known.cases + 1, voxels: known.voxels + voxels });
    }
  if (values.size === 0) return [];
  const most = [...values].sort((a, b) => b[1].voxels - a[1].voxels || a[0] - b[0]).slice(0, MOST_LISTED);
  const list = most.map(([value, found]) => `${value} (${found.voxels} voxels in ${found.cases} cases)`);
  return [
    `label values without an output count as background (dataset.others): ${list.join(', ')}` +
      (values.size > MOST_LISTED ? ', ...' : ''),
  ];
}

const MOST_LISTED = 5;
// An image that is used as a label by mistake has millions of values, more than a Map can hold.
const MOST_COUNTED = 100_000;

function count(counts: Map<number, number>, value: number): void {
  const known = counts.get(value);
  if (known !== undefined || counts.size < MOST_COUNTED) counts.set(value, (known ?? 0) + 1);
}

/** The most frequent values first. */
function frequent(counts: ReadonlyMap<number, number>): [value: number, voxels: number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, MOST_LISTED);
}

/** The most frequent values with their numbers of voxels, in words. */
export function listed(counts: ReadonlyMap<number, number>): string {
  const list = frequent(counts).map(([value, count]) => `${value} (${count} voxels)`);
  return list.join(', ') + (counts.size > MOST_LISTED ? ', ...' : '');
}
