// Pairs images with labels, and reports all mismatches at once.

import { UserError } from '../../errors.js';
import { type ListOptions, type Listing } from './layout.js';

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
 * duplicate case, or leaves it out if the options say so; `source` is where the cases were listed, `faulty` are cases to leave
 * out whose problems are known.
 */
export function pairUp(
  source: string,
  allImages: readonly ListedImage[],
  allLabels: readonly ListedLabel[],
  options: Pick<ListOptions, 'wanted' | 'fault'>,
  faulty: ReadonlySet<string> = new Set(),
): Pick<Listing, 'ids' | 'cases'> {
  const ids = [...new Set([...allImages, ...allLabels].map(({ id }) => id))].sort();
  const isWanted = ({ id }: { id: string }): boolean => !faulty.has(id) && (options.wanted?.has(id) ?? true);
  const [images, labels] = [allImages.filter(isWanted), allLabels.filter(isWanted)];
  const problems: string[] = [];
  const incomplete = new Set<string>();
  const complain = (ids: readonly string[], problem: string): void => {
    ids.forEach((id) => incomplete.add(id));
    problems.push(problem);
  };
  const byId = new Map<string, { images: string[]; label?: string }>();
  const lower = new Map<string, string>();
  const entry = (id: string): { images: string[]; label?: string } => {
    const known = lower.get(id.toLowerCase());
    if (known !== undefined && known !== id) complain([known, id], `${known} and ${id}: differ in case only`);
    lower.set(id.toLowerCase(), id);
    const found = byId.get(id) ?? { images: [] };
    byId.set(id, found);
    return found;
  };
  for (const { id, channel, file } of images) {
    const { images: files } = entry(id);
    if (files[channel] !== undefined)
      complain([id], `${id}: found two images, ${files[channel]} and ${file}`);
    files[channel] = file;
  }
  for (const { id, file } of labels) {
    const found = entry(id);
    if (found.label !== undefined) complain([id], `${id}: found two labels, ${found.label} and ${file}`);
    found.label = file;
  }
  const found = [...byId];
  const name = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) complain(ids, `found ${ids.length} ${what}: ${ids.join(', ')}`);
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
  raise(
    problems.map((problem) => `${source}: ${problem}`),
    options,
  );
  const cases = found
    .filter(([id]) => !incomplete.has(id))
    .map(([id, { images: files, label }]) => ({ id, images: files, label: label as string }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ids, cases };
}

/** Throws all problems, or tells them one by one if the options say so. */
export function raise(problems: readonly string[], { fault }: Pick<ListOptions, 'fault'>): void {
  if (fault) problems.forEach(fault);
  else throwAll(problems);
}

/** Throws all problems as one UserError of kind `data`, one line each, if there are any. */
export function throwAll(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > MAX_LINES ? [`and ${problems.length - MAX_LINES} more`] : [];
  throw new UserError('data', [...problems.slice(0, MAX_LINES), ...more].join('\n'));
}
