// Chooses what a network sees at a time, whole volumes or patches, how deep networks are, and how many cases a step has: as far as
// memory and the time of a CPU allow.

import { type CaseFacts } from '../data/inspect/case-facts.js';
import { extentAt } from '../data/inspect/summary.js';
import { inWords } from '../data/nifti/decode.js';
import { type Extent, volumeSize } from '../data/preprocess.js';
import { type Engine } from '../engine/engine.js';
import { gibibytes } from '../memory.js';
import { buildArchitecture } from '../network/architecture.js';
import { type Choice } from './choice.js';
import { gridsAt, levelsFor, patchFor, rounded, voxelsOf } from './geometry.js';

/** What the experiment runs on. */
export interface Machine {
  readonly estimateMemory: Engine['estimateMemory'];
  /** Bytes. */
  readonly freeMemory: number;
}

/** What the window depends on. */
export interface WindowFacts {
  readonly cases: readonly CaseFacts[];
  /** To which volumes are resampled. */
  readonly spacing: Extent;
  /** Numbers of channels, outputs, and cases to train on. */
  readonly channels: number;
  readonly outputs: number;
  readonly train: number;
}

interface ChosenWindow {
  /** Settings of preprocessing. */
  readonly size: readonly Choice[];
  readonly training: readonly Choice[];
  readonly models: readonly object[];
  readonly levels: number;
}

const PATCH_SIDE = 96;
const MOST_VOXELS = PATCH_SIDE ** 3;
const MOST_BATCH = 16;
/** Steps after which networks of this size are close to their best Dice. */
const LEAST_STEPS = 300;
/** With fewer training cases, augmentation does most. */
const FEW_CASES = 50;
/** Part of the free memory for the network and, with whole volumes, the data. */
const SHARE = 0.5;

/** Whole volumes if all of them fit into a window as small as a patch, patches otherwise. */
export function chooseWindow(facts: WindowFacts, machine: Machine): ChosenWindow {
  const grids = gridsAt(facts.cases, facts.spacing);
  const [median, largest] = [extentAt(grids, 50), extentAt(grids, 100)];
  const levels = levelsFor(largest);
  const size = rounded(largest, levels);
  const data = facts.cases.length * voxelsOf(size) * (4 * facts.channels + 1);
  const wanted = Math.min(MOST_BATCH, Math.max(1, Math.floor(facts.train / 8)));
  const { batch, bytes } = largestBatch(facts, machine, { size, levels, data, wanted });
  if (voxelsOf(size) > MOST_VOXELS || batch === 0) return patches(facts, machine, median);
  const steps = Math.ceil(facts.train / batch);
  return {
    levels,
    models: settingsOf(levels),
    size: [
      {
        path: ['preprocessing', 'size'],
        value: size,
        why:
          `whole volumes: the largest are ${inWords(largest, 'voxels')}, not more than a patch of ${PATCH_SIDE}^3; ` +
          `a multiple of ${2 ** (levels - 1)}`,
      },
    ],
    training: [
      {
        path: ['training', 'epochs'],
        value: Math.max(30, Math.ceil(LEAST_STEPS / steps)),
        why: `${steps} steps each; at least ${LEAST_STEPS} steps in all`,
      },
      {
        path: ['training', 'batch'],
        value: batch,
        why: `at most an eighth of the training cases; the Unet and the data take ${gibibytes(bytes)} of memory`,
      },
      augmentationOf(facts.train),
      ...commonTraining(),
    ],
  };
}

/** docs/augmentation.md has the measurements behind it. */
function augmentationOf(train: number): Choice {
  const path = ['training', 'augmentation'];
  return train < FEW_CASES
    ? {
        path,
        value: 'standard',
        why: `${train} cases to train on: with so few, rotation and scaling raise Dice most`,
      }
    : { path, value: 'light', why: 'scans that lie or look otherwise than these are segmented better' };
}

/** Patches of as many voxels as memory allows. */
function patches(facts: WindowFacts, machine: Machine, median: Extent): ChosenWindow {
  let budget = MOST_VOXELS;
  let chosen = patchFor(facts.spacing, median, budget);
  let found = largestBatch(facts, machine, { size: chosen.patch, levels: chosen.levels, data: 0, wanted: 2 });
  // Smaller patches where memory is short; below this size a network sees too little.
  while (found.batch === 0 && budget > 32 ** 3) {
    budget /= 2;
    chosen = patchFor(facts.spacing, median, budget);
    found = largestBatch(facts, machine, { size: chosen.patch, levels: chosen.levels, data: 0, wanted: 2 });
  }
  const { patch, levels } = chosen;
  return {
    levels,
    models: settingsOf(levels),
    size: [],
    training: [
      {
        path: ['training', 'patch'],
        value: { size: patch, perEpoch: 250, foreground: 0.33 },
        why:
          `volumes are large (median ${inWords(median.map(Math.round), 'voxels')}): patches of about ` +
          `${PATCH_SIDE}^3 voxels, as long in mm along each axis as volumes allow, a multiple of ${2 ** (levels - 1)}; ` +
          'a third of them around labelled voxels',
      },
      {
        path: ['training', 'augmentation'],
        value: 'standard',
        why: 'rotation, scaling, noise, blur, brightness, contrast, lower resolution, gamma, as usual with patches',
      },
      {
        path: ['training', 'epochs'],
        value: 100,
        why: '250 patches each; more if Dice still rises at the end',
      },
      {
        path: ['training', 'batch'],
        value: Math.max(1, found.batch),
        why: `as nnU-Net for large patches; the Unet takes ${gibibytes(found.bytes)} of memory`,
      },
      ...commonTraining(),
    ],
  };
}

function commonTraining(): Choice[] {
  const at = (key: string, value: unknown, why: string): Choice => ({ path: ['training', key], value, why });
  return [
    at('learningRate', 0.01, 'of Adam'),
    at('cooldown', 0.3, 'Dice of the last epochs varies less if the learning rate falls towards the end'),
    at('dropout', 0, 'networks this narrow are better without dropout'),
    at('seeds', [1], 'one run of each network and split; more seeds show how much Dice varies'),
  ];
}

const FAMILIES = ['lunet', 'unet'] as const;

/** The models as an experiment file has them. */
function settingsOf(levels: number): object[] {
  return FAMILIES.map((family) => ({ family, n: 4, levels, convs: 2 }));
}

/** The largest batch up to `wanted` with which the largest network and the data fit into memory, 0 if none does. */
function largestBatch(
  { channels, outputs }: WindowFacts,
  { estimateMemory, freeMemory }: Machine,
  {
    size,
    levels,
    data,
    wanted,
  }: {
    readonly size: Extent;
    readonly levels: number;
    /** Bytes of the data that stay in memory. */
    readonly data: number;
    readonly wanted: number;
  },
): { readonly batch: number; readonly bytes: number } {
  const bytesFor = (maxBatch: number): number =>
    data +
    Math.max(
      ...FAMILIES.map((family) =>
        estimateMemory({
          architecture: buildArchitecture(
            { family, n: 4, levels, convs: 2, skips: true, scale: 1 },
            channels,
            outputs,
          ),
          size: volumeSize(size),
          maxBatch,
          targets: new Uint32Array(256),
          adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        }),
      ),
    );
  let batch = wanted;
  while (batch > 0 && bytesFor(batch) > SHARE * freeMemory) batch--;
  return { batch, bytes: bytesFor(Math.max(1, batch)) };
}
