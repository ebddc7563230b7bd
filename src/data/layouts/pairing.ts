// Pairs images with labels, and reports all mismatches at once.

import { UserError } from '../../errors.js';
import { type Listing } from './layout.js';

const MAX_LINES = 50;

/** An image or label file that a layout lists. */
export interface ListedImage {
  readonly id: string;
  readonly channel: number;
  readonly file: string;
}
export type ListedLabel = Omit<ListedImage, 'channel'>;

/**
 * Pairs images with labels of the wanted cases by case id. Throws a UserError of kind `data` that names every incomplete or
 * duplicate case; `source` is where the cases were listed.
 */
export function pairUp(
  source: string,
  allImages: readonly ListedImage[],
  allLabels: readonly ListedLabel[],
  wanted?: ReadonlySet<string>,
): Pick<Listing, 'ids' | 'cases'> {
  const ids = [...new Set([...allImages, ...allLabels].map(({ id }) => id))].sort();
  const isWanted = ({ id }: { id: string }): boolean => wanted?.has(id) ?? true;
  const [images, labels] = [allImages.filter(isWanted), allLabels.filter(isWanted)];
  const problems: string[] = [];
  const byId = new Map<string, { images: string[]; label?: string }>();
  const lower = new Map<string, string>();
  const entry = (id: string): { images: string[]; label?: string } => {
    const known = lower.get(id.toLowerCase());
    if (known !== undefined && known !== id) problems.push(`${known} and ${id}: differ in case only`);
    lower.set(id.toLowerCase(), id);
    const found = byId.get(id) ?? { images: [] };
    byId.set(id, found);
    return found;
  };
  for (const { id, channel, file } of images) {
    const { images: files } = entry(id);
    if (files[channel] !== undefined) problems.push(`${id}: found two images, ${files[channel]} and ${file}`);
    files[channel] = file;
  }
  for (const { id, file } of labels) {
    const found = entry(id);
    if (found.label !== undefined) problems.push(`${id}: found two labels, ${found.label} and ${file}`);
    found.label = file;
  }
  const found = [...byId];
  const name = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) problems.push(`found ${ids.length} ${what}: ${ids.join(', ')}`);
  };
  const idsWhere = (test: (found: { images: string[]; label?: string }) => boolean): string[] =>
    found.filter(([, files]) => test(files)).map(([id]) => id);
  name(
    'without an image',
    idsWhere(({ images: files }) => files.length === 0),
  );
  name(
    'without a label',
    idsWhere(({ label }) => label === undefined),
  );
  const channels = Math.max(0, ...found.map(([, { images: files }]) => files.length));
  for (let channel = 0; channel < channels; channel++)
    name(
      `without an image of channel ${channel}`,
      idsWhere(({ images: files }) => files.length > 0 && files[channel] === undefined),
    );
  if (ids.length === 0) problems.push('found no case, expected images and labels (.nii, .nii.gz)');
  throwAll(problems.map((problem) => `${source}: ${problem}`));
  const cases = found
    .map(([id, { images: files, label }]) => ({ id, images: files, label: label as string }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ids, cases };
}

/** Throws all problems as one UserError of kind `data`, one line each, if there are any. */
export function throwAll(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > MAX_LINES ? [`and ${problems.length - MAX_LINES} more`] : [];
  throw new UserError('data', [...problems.slice(0, MAX_LINES), ...more].join('\n'));
}
