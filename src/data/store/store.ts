// Prepared cases at their own sizes, each in a file of the cache folder: only what is asked for is read into memory.

import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../cache-folder.js';
import { type Experiment } from '../../config/schema.js';
import { UserError } from '../../errors.js';
import { makeFolders } from '../../make-folders.js';
import { CASE_ENDING, cacheKey, makeRoom } from '../cache.js';
import { type CaseSource } from '../case.js';
import { type PrepareOptions, prepareFiles } from '../prepare.js';
import { type CaseFile, openCaseFile } from './case-file.js';
import { refused } from './store-case.js';

/**
 * Prepares the cases, or finds them in the cache; without a cache folder they lie in a temporary one, which is removed when this
 * returns: their files stay open. Throws a UserError of kind `data` that names all bad files, or `disk`.
 */
export async function storeCases(
  sources: readonly CaseSource[],
  config: Experiment,
  options: PrepareOptions,
): Promise<CaseFile[]> {
  const cache = cacheFolder();
  const folder =
    cache ?? (await mkdtemp(join(tmpdir(), 'lunet-cases-')).catch((error) => refused(tmpdir(), error)));
  try {
    makeFolders(folder);
    return await openOrPrepare(sources, folder, config, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return refused(folder, error);
  } finally {
    if (cache === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function openOrPrepare(
  sources: readonly CaseSource[],
  folder: string,
  config: Experiment,
  options: PrepareOptions,
): Promise<CaseFile[]> {
  const { progress, signal } = options;
  const paths = await Promise.all(
    sources.map(async (source) => join(folder, (await cacheKey([source], config)) + CASE_ENDING)),
  );
  const files: (CaseFile | undefined)[] = [];
  let known = 0;
  for (const path of paths) {
    const file = await openCaseFile(path, signal);
    files.push(file);
    if (file) progress?.(++known, sources.length);
  }
  const missing = [...sources.keys()].filter((i) => files[i] === undefined);
  await prepareFiles(
    missing.map((i) => ({ source: sources[i] as CaseSource, file: paths[i] as string })),
    config,
    { ...options, progress: (done) => progress?.(known + done, sources.length) },
  );
  for (const i of missing) {
    files[i] = await openCaseFile(paths[i] as string, signal);
    if (files[i] === undefined)
      throw new UserError('disk', `${paths[i]}: was written and is now damaged or gone: check the disk`);
  }
  const now = new Date();
  await Promise.all(paths.map((path) => utimes(path, now, now).catch(() => undefined)));
  await makeRoom(folder, 0, new Set(paths));
  return files as CaseFile[];
}
