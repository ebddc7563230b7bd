// A model that is ready to segment volumes, for the libraries for Node.js and for browsers. Without Node.js.

import { determinantOf } from '../data/nifti/affine.js';
import { type Volume } from '../data/nifti/decode.js';
import { SCANS, requireTogether } from '../data/together.js';
import { type ModelDescription } from '../model/model.js';
import { paintedValue } from './labels.js';
import { resultWarnings, scanOf } from './scan.js';
import { type Ensemble, type Segmentation } from './segment.js';

/** One output of a model in a scan. */
export interface Finding {
  readonly name: string;
  /** The values of this output in the label map. */
  readonly values: readonly number[];
  readonly voxels: number;
  /** Volume in ml. */
  readonly volume: number;
}

/** The segmentation of a scan. */
export interface Result {
  /** Label values, (z, y, x), on the grid of the scan. */
  readonly labels: Uint8Array | Uint16Array;
  /** With `probabilities: true`: from 0 to 255, (outputs, z, y, x), on the grid of the scan. */
  readonly probabilities?: Uint8Array;
  readonly findings: readonly Finding[];
  /** How the scan differs from the training scans, and other warnings. */
  readonly warnings: readonly string[];
}

export interface SegmentCall {
  /** Names of the volumes for messages. */
  readonly names?: readonly string[];
  readonly probabilities?: boolean;
  /** Called after each batch of windows. */
  readonly progress?: (done: number, total: number) => void;
  /** Stops between two batches; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A model that is ready to segment. */
export interface OpenModel {
  readonly description: ModelDescription;
  /**
   * Segments a scan: one volume with all channels, or a volume per channel in the order of the model. The call changes the voxels
   * of the volumes. Throws a UserError of kind `data` for volumes that do not fit the model or each other. One call at a time.
   */
  readonly segment: (volumes: Volume | readonly Volume[], call?: SegmentCall) => Promise<Result>;
  /** Frees the memory of the engine. */
  readonly dispose: () => void;
}

/** Makes an ensemble a model of the libraries. */
export function openedModel({ description, segment, dispose }: Ensemble): OpenModel {
  return {
    description,
    dispose,
    async segment(given, { names, probabilities, progress, signal } = {}) {
      const all = 'voxels' in given ? [given] : given;
      const called = names ?? all.map((_, i) => `volume ${i + 1}`);
      // A browser does not tell how much memory is free.
      const { volumes, warnings } = requireTogether(all, called, all.length, SCANS, () => undefined);
      const scan = scanOf(volumes, called[0] as string, description);
      const found = await segment(scan, { probabilities, progress, signal });
      const voxelVolume = Math.abs(determinantOf((volumes[0] as Volume).affine));
      return {
        ...resultOf(found, description, voxelVolume),
        warnings: [...new Set(warnings), ...resultWarnings(description, scan, found)],
      };
    },
  };
}

function resultOf(
  found: Segmentation,
  description: ModelDescription,
  voxelVolume: number,
): Omit<Result, 'warnings'> {
  const labels = found.labels as Uint8Array | Uint16Array;
  return {
    labels,
    ...(found.probabilities && { probabilities: found.probabilities }),
    findings: findingsOf(labels, description, voxelVolume),
  };
}

/** The voxels of each output in a label map. A region also has the voxels of outputs painted over it. */
function findingsOf(
  labels: Uint8Array | Uint16Array,
  { outputs }: ModelDescription,
  voxelVolume: number,
): Finding[] {
  const counts = new Map<number, number>(outputs.map((output) => [paintedValue(output), 0]));
  for (const value of labels) if (value > 0) counts.set(value, (counts.get(value) ?? 0) + 1);
  return outputs.map(({ name, values }) => {
    const voxels = values.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0);
    return { name, values, voxels, volume: (voxels * voxelVolume) / 1000 };
  });
}
