// Checks whether an experiment fits into memory, before any data is read.

import { configuredArchitecture, inputChannels, modelName } from '../config/models.js';
import { type Experiment, type ModelConfig } from '../config/schema.js';
import { windowSize } from '../config/window.js';
import { volumeSize } from '../data/preprocess.js';
import { listedCases } from '../data/split.js';
import { splitSizes } from '../data/split-sizes.js';
import { type Engine, type NetworkSettings } from '../engine/engine.js';
import { freeMemory, gibibytes } from '../memory.js';
import { UserError } from '../errors.js';
import { settingsFor } from './network-settings.js';

/**
 * Throws a UserError of kind `engine` if the data set and the largest of these models need more memory than is free; it
 * states what would fit. Each of `jobs` processes trains the models one after the other. Throws like `splitSizes`.
 */
export async function requireMemory(
  config: Experiment,
  engine: Pick<Engine, 'estimateMemory'>,
  models: readonly ModelConfig[],
  { jobs = 1, total = freeMemory() } = {},
): Promise<void> {
  const free = total / jobs;
  const parts = [...(await splitSizes(config)).values()].map(({ train, validation, test }) => [
    train,
    validation,
    test,
  ]);
  const { patch } = config.training;
  const batch = patch ? config.training.batch : Math.min(config.training.batch, Math.max(...parts.flat()));
  const cases = leastCases(config, parts);
  // Cases that keep their size stay on disk: in memory are patches of two steps, with the larger regions that they are turned in.
  const data = patch ? 4 * batch * caseBytes(config) : cases * caseBytes(config);
  for (const model of models) {
    const need = (maxBatch: number): number =>
      data + engine.estimateMemory(settingsOf(config, model, maxBatch));
    if (need(batch) <= free) continue;
    // Memory grows with the batch size, so bisection finds the largest that fits.
    let [fits, tooMuch] = [0, batch];
    while (tooMuch - fits > 1) {
      const middle = Math.floor((fits + tooMuch) / 2);
      if (need(middle) <= free) fits = middle;
      else tooMuch = middle;
    }
    throw new UserError(
      'engine',
      `${modelName(model)} needs about ${gibibytes(need(batch))} of memory (${gibibytes(data)} of it for ${patch ? 'patches' : `${cases} cases`}), ` +
        `${gibibytes(free)} are free${jobs > 1 ? ` for each of ${jobs} runs at a time` : ''}: ` +
        (jobs > 1 && need(batch) <= total
          ? `fewer --jobs would do (${Math.floor(total / need(batch))})`
          : fits > 0
            ? `training.batch ${fits} would fit (--set training.batch=${fits})`
            : patch
              ? 'choose a smaller training.patch.size or a smaller model'
              : 'choose a smaller preprocessing.size, fewer cases or a smaller model'),
    );
  }
}

/** A lower bound of cases in memory: all listed ones, or the largest split if cases are drawn, since overlaps are unknown. */
function leastCases(config: Experiment, parts: readonly (readonly number[])[]): number {
  const listed = listedCases(config);
  if (listed !== undefined) return listed.size;
  return Math.max(...parts.map((sizes) => sizes.reduce((sum, size) => sum + size, 0)));
}

/** A preprocessed case: float32 images and a uint8 label. */
function caseBytes(config: Experiment): number {
  const [x, y, z] = windowSize(config);
  return x * y * z * (4 * inputChannels(config) + 1);
}

function settingsOf(config: Experiment, model: ModelConfig, maxBatch: number): NetworkSettings {
  const { training } = config;
  const architecture = configuredArchitecture(config, model);
  const volumes = { size: volumeSize(windowSize(config)), targets: new Uint32Array(256) };
  return settingsFor(training, architecture, volumes, maxBatch);
}
