// Assigns files to the channels of the model, and names the saved file.

import { UserError } from '../../errors.js';

/** The file name of a channel in nnU-Net. */
const NUMBERED = /_(\d{4})\.(nii|hdr)(\.gz)?$/i;

/**
 * File names in the order of the channels of a model: by the numbers of nnU-Net, or by channel names in the file names, else in the
 * order of the names. One file may contain all channels. Throws a UserError of kind `data` if there are too many or too few.
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

/** The name of the label map: the name of the first file without its channel, as a single file. */
export function labelMapName(first: string, channels: number): string {
  const stem = first.replace(/\.(nii|hdr)(\.gz)?$/i, '');
  const name = stem.replace(channels > 1 ? /_\d{4}$/ : /_0000$/, '');
  return name + (/\.nii$/i.test(first) ? '.nii' : '.nii.gz');
}
