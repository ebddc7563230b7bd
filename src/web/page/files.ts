// Which of the files that were given is which channel of the model, and the name of what is saved.

import { UserError } from '../../errors.js';

/** nnU-Net's name of a channel's file. */
const NUMBERED = /_(\d{4})\.(nii|hdr)(\.gz)?$/i;

/**
 * File names in the order of a model's channels: by nnU-Net's numbers, or by channels' names in them, else by their own order.
 * One file may hold all channels. Throws a UserError of kind `data` if there are too many or too few.
 */
export function orderFiles(names: readonly string[], channels: readonly string[]): string[] {
  if (names.length === 1) return [...names];
  if (names.length !== channels.length)
    throw new UserError(
      'data',
      channels.length === 1
        ? `found ${names.length} files, expected one scan at a time`
        : `found ${names.length} files, expected ${channels.length}: one for each of ${channels.join(', ')}`,
    );
  const numbers = names.map((name) => Number(NUMBERED.exec(name)?.[1] ?? -1));
  const byNumber = channels.map((_, i) => numbers.indexOf(i));
  const byName = channels.map((channel) => {
    const holding = names.filter((name) => name.toLowerCase().includes(channel.toLowerCase()));
    return holding.length === 1 ? names.indexOf(holding[0] as string) : -1;
  });
  const order = [byNumber, byName].find(
    (found) => !found.includes(-1) && new Set(found).size === found.length,
  );
  return order ? order.map((i) => names[i] as string) : [...names].sort();
}

/** The name of the label map of scans: that of the first, without its channel, as a single file. */
export function labelMapName(first: string, channels: number): string {
  const stem = first.replace(/\.(nii|hdr)(\.gz)?$/i, '');
  const name = stem.replace(channels > 1 ? /_\d{4}$/ : /_0000$/, '');
  return name + (/\.nii$/i.test(first) ? '.nii' : '.nii.gz');
}
