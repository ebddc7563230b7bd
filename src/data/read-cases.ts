// Prepares the cases of an experiment, or takes what an earlier start has prepared.

import { cacheFolder } from '../cache-folder.js';
import { type Experiment } from '../config/schema.js';
import { fsReason } from '../fs-reason.js';
import { cacheKey, readCache, writeCache } from './cache.js';
import { type CaseFacts, type CaseSource, type PreparedCase } from './case.js';
import { labelIndices, labelTargets } from './labels.js';
import { type PrepareOptions, prepareCases } from './prepare.js';
import { storeCases } from './store/store.js';
import { type Voxels, voxelsInFiles, voxelsInMemory } from './voxels.js';

/**
 * The prepared cases, with access to their voxels, which are in files where networks see patches. Throws as `loadDataset` does.
 */
export async function readCases(
  sources: readonly CaseSource[],
  config: Experiment,
  options: PrepareOptions,
): Promise<{
  readonly cases: readonly CaseFacts[];
  readonly warning: readonly string[];
  readonly voxels: Voxels;
}> {
  const { labels } = config.dataset;
  if (config.training.patch !== undefined) {
    const files = await storeCases(sources, config, options);
    return { cases: files.map(({ facts }) => facts), warning: [], voxels: voxelsInFiles(files) };
  }
  const { cases, warning } = await prepareInMemory(sources, config, options);
  const targets = labelTargets(labels, labelIndices(config.dataset));
  return { cases, warning, voxels: voxelsInMemory(cases, targets, Object.keys(labels).length) };
}

/** Takes cases of files from the cache if possible; phantoms are generated, which needs no cache. */
async function prepareInMemory(
  sources: readonly CaseSource[],
  config: Experiment,
  options: PrepareOptions,
): Promise<{ cases: PreparedCase[]; warning: string[] }> {
  const folder = cacheFolder();
  const files = sources.filter((source) => 'images' in source);
  if (files.length === 0 || folder === undefined)
    return { cases: await prepareCases(sources, config, options), warning: [] };
  const key = await cacheKey(files, config);
  const known = await readCache(folder, key, options.progress, options.signal);
  if (known) return { cases: known, warning: [] };
  const cases = await prepareCases(sources, config, options);
  try {
    await writeCache(folder, key, cases);
    return { cases, warning: [] };
  } catch (error) {
    const reason = fsReason(error);
    return {
      cases,
      warning: [`${folder}: the cache was not written: ${reason} (LUNET_CACHE=off does without)`],
    };
  }
}
