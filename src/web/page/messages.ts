// The messages between the page and its worker.

import { type Extent } from '../../data/preprocess.js';
import { type Finding } from '../index.js';

/** From the page: first the model and the engine, then scans. */
export type Request =
  | { readonly kind: 'open'; readonly model: Uint8Array; readonly engine: Uint8Array }
  | { readonly kind: 'segment'; readonly files: readonly File[] };

/** A scan for display, with axes that point to the right, to the front and upwards. */
export interface ShownScan {
  /** The file of each channel. */
  readonly files: readonly string[];
  /** Voxels along x, y, z, and mm between them. */
  readonly size: Extent;
  readonly spacing: Extent;
  /** Of each channel, greys (z, y, x). */
  readonly greys: readonly Uint8Array[];
}

/** The results, on the grid of the displayed scan. */
export interface ShownResult {
  /** 0, or the index of a painted value from 1 on, (z, y, x). */
  readonly labels: Uint8Array;
  readonly findings: readonly Finding[];
  /** For each finding: 1 at the indices of labels that belong to it. */
  readonly members: readonly Uint8Array[];
  readonly warnings: readonly string[];
  /** Seconds. */
  readonly reading: number;
  readonly segmenting: number;
  /** The label map as a file. */
  readonly file: { readonly name: string; readonly bytes: Uint8Array };
}

/** From the worker. A failure comes as a sentence. */
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'scan'; readonly scan: ShownScan }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'result'; readonly result: ShownResult }
  | { readonly kind: 'failed'; readonly message: string };
