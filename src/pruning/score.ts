// Scores all channels of a network by a criterion, with only the passes that it needs. Does not change the network.

import { type Scoring } from '../config/schema.js';
import { type Network, type PassMode, type Sample, type VolumeSize } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { type Architecture, type Layer, listLayers } from '../network/architecture.js';
import { type Tensor, type Weights } from '../network/weights.js';
import { stream } from '../random.js';
import { dropoutMasks } from '../training/epoch.js';
import { type Feed, makeSample, planPass } from '../training/feed.js';
import { type Criterion, type Scores } from './criteria/criterion.js';

export interface ScoringSettings {
  readonly network: Network;
  readonly architecture: Architecture;
  readonly size: VolumeSize;
  readonly dataset: Feed['dataset'];
  /** Training cases; passes use all of them in this order, and the last batch may be smaller. */
  readonly cases: readonly string[];
  readonly batch: number;
  readonly patch: Feed['patch'];
  /** Mode of the passes: evaluation (running statistics, no dropout) or training. */
  readonly scoring: Scoring;
  /** Dropout rate of each channel, for passes in training mode. */
  readonly dropout: Float64Array;
  readonly seed: number;
  readonly step: number;
}

/**
 * Scores of all channels, layer by layer. Except for `random`, the scores of each layer are divided by their L2 norm (zeros
 * stay zeros), so that layers can be compared (STAMP). Throws a UserError of kind `failed` if a score is not finite: the
 * channels could not be ranked.
 */
export async function scoreChannels(criterion: Criterion, settings: ScoringSettings): Promise<Scores> {
  const layers = listLayers(settings.architecture);
  const scores = await computeScores(criterion, settings, layers);
  const broken = layers.find((_, i) => !(scores[i] as Float64Array).every(Number.isFinite));
  if (broken !== undefined)
    throw new UserError(
      'failed',
      `${broken.name}: found scores that are not finite, expected numbers: activations, weights or gradients overflow; ` +
        'normalise the data (preprocessing.normalisation) or choose another pruning.criterion',
    );
  return scores;
}

async function computeScores(
  criterion: Criterion,
  settings: ScoringSettings,
  layers: readonly Layer[],
): Promise<Scores> {
  switch (criterion.needs) {
    case 'nothing': {
      const random = stream(settings.seed, 'score', settings.step);
      return layers.map((layer) => criterion.score(layer, random));
    }
    case 'weights': {
      const weights = await settings.network.readWeights();
      return layers.map((layer) => normalised(criterion.score(layer, weights)));
    }
    case 'synflow':
    case 'gradients': {
      const weights = await settings.network.readWeights();
      const gradients =
        criterion.needs === 'synflow'
          ? await settings.network.synflowGradients()
          : await summedGradients(settings);
      return layers.map((layer) => normalised(criterion.score(layer, weights, gradients)));
    }
    case 'activations': {
      const totals = await foldActivations(criterion, settings, layers);
      let at = 0;
      return layers.map(({ width }) => normalised(totals.slice(at, (at += width))));
    }
  }
}

/** Calls use(batch, mode) for each batch of the training set. */
async function eachBatch(
  settings: ScoringSettings,
  use: (samples: readonly Sample[], mode: PassMode) => Promise<void>,
): Promise<void> {
  const { scoring, dropout, seed, step } = settings;
  // The same patches at every step, so that scores differ by the network alone.
  for (const [i, planned] of planPass({ ...settings, key: ['score'] }).entries()) {
    const samples = await Promise.all(planned.map((sample) => makeSample(settings, sample)));
    const masks = (): Float32Array => dropoutMasks(samples.length, dropout, seed, ['score', step, i]);
    await use(samples, scoring === 'evaluation' ? 'evaluation' : { masks: masks() });
  }
}

async function foldActivations(
  { withGradients, fold, finish }: Extract<Criterion, { needs: 'activations' }>,
  settings: ScoringSettings,
  layers: readonly Layer[],
): Promise<Float64Array> {
  const [depth, height, width] = settings.size;
  const voxels = Float64Array.from(
    layers.flatMap((layer) => Array<number>(layer.width).fill((depth * height * width) / 8 ** layer.level)),
  );
  const totals = new Float64Array(voxels.length);
  await eachBatch(settings, async (samples, mode) => {
    const sums = await settings.network.activationSums(samples, mode, withGradients);
    for (const [i, value] of fold(sums, samples.length, voxels).entries())
      totals[i] = (totals[i] as number) + value;
  });
  return finish ? totals.map(finish) : totals;
}

async function summedGradients(settings: ScoringSettings): Promise<Weights> {
  const sums = new Map<string, Tensor>();
  await eachBatch(settings, async (samples, mode) => {
    const { gradients } = await settings.network.gradients(samples, mode);
    for (const [name, { shape, data }] of gradients) {
      const sum = sums.get(name);
      if (sum) for (const [i, value] of data.entries()) sum.data[i] = (sum.data[i] as number) + value;
      else sums.set(name, { shape, data });
    }
  });
  return sums;
}

function normalised(scores: Float64Array): Float64Array {
  const norm = Math.hypot(...scores);
  return norm > 0 ? scores.map((score) => score / norm) : scores;
}
