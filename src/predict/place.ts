// The destination of results, and checks that no input is overwritten.

import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.js';
import { isFolder } from '../runs/open-model.js';
import { type Destination, type Wanted } from './files.js';

const VOLUME = /\.nii(\.gz)?$/i;

/**
 * The destination in `-o`: a folder for a folder of scans; a file (.nii, .nii.gz) or a folder for one scan. Throws a UserError of
 * kind `usage` if it is inside the folder of the scans, or does not fit the other options.
 */
export function destinationOf(input: string, output: string, { separate }: Wanted): Destination {
  const toFile = VOLUME.test(output) && !isFolder(output);
  if (toFile && isFolder(input))
    throw new UserError('usage', `-o: found ${output} for the folder ${input}, expected a folder`);
  if (toFile && separate)
    throw new UserError(
      'usage',
      `-o: found ${output} with --separate, expected a folder for a file an output`,
    );
  if (!toFile && existsSync(output) && !isFolder(output))
    throw new UserError(
      'usage',
      `-o: found ${output}, a file, expected a folder or a name ending in .nii or .nii.gz`,
    );
  const [from, to] = [real(isFolder(input) ? input : dirname(input)), real(output)];
  const way = relative(from, to);
  const within = way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(from, way) === to);
  if (isFolder(input) && within)
    throw new UserError(
      'usage',
      `-o: found ${output}, which is ${way === '' ? '' : 'within '}the folder of the scans, expected another one`,
    );
  return toFile ? { folder: dirname(output), file: basename(output) } : { folder: output };
}

/** Throws a UserError of kind `usage` if an input file would be overwritten, which even --force must not do. */
export function requireApart(read: readonly string[], written: readonly string[]): void {
  const scans = new Set(read.map(real));
  const same = written.find((path) => scans.has(real(path)));
  if (same !== undefined)
    throw new UserError(
      'usage',
      `-o: found the result ${same}, which is the scan itself, expected another place`,
    );
}

/** A path after following all links that exist. */
function real(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  const above = dirname(whole);
  return above === whole ? whole : join(real(above), basename(whole));
}
