// Chooses what a network sees at a time, whole volumes or patches, how deep networks are, and how many cases a step has: as far as
// memory and the time of a CPU allow.

import { type CaseFacts } from '../data/inspect/case-facts.js';
import { extentAt } from '../data/inspect/summary.js';
import { inWords } from '../data/nifti/decode.js';
import { type Extent, volumeSize } from '../data/preprocess.js';
import { type Engine } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { gibibytes } from '../memory.js';
import { buildArchitecture } from '../network/architecture.js';
import { type Choice } from './choice.js';
import { gridsAt, levelsFor, rounded, voxelsOf } from './geometry.js';

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
  const largest = extentAt(grids, 100);
  const levels = levelsFor(largest);
  const size = rounded(largest, levels);
  const data = facts.cases.length * voxelsOf(size) * (4 * facts.channels + 1);
  const wanted = Math.min(MOST_BATCH, Math.max(1, Math.floor(facts.train / 8)));
  const { batch, bytes } = largestBatch(facts, machine, { size, levels, data, wanted });
  if (voxelsOf(size) > MOST_VOXELS || batch === 0)
    throw new UserError(
      'data',
      `the largest volumes are ${inWords(largest, 'voxels')} at ${inWords(facts.spacing, 'mm')}, expected at most ` +
        `${MOST_VOXELS} voxels; such volumes need an experiment file that is written by hand, with a coarser ` +
        'preprocessing.spacing or a smaller preprocessing.size',
    );
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
