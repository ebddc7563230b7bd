// How a network is run over a volume that is larger than the window that it sees. Plain values: configs, records, model files and
// browsers share them.

export interface Inference {
  /** The part of a window, from 0 to below 1, that neighbouring windows share at least. */
  readonly overlap: number;
  /** Axes along which windows are mirrored too; the predictions are averaged. */
  readonly mirror: readonly ('x' | 'y' | 'z')[];
}

/** What is done where nothing else is said. */
export const DEFAULT_INFERENCE: Inference = { overlap: 0.5, mirror: [] };

/** With more overlap a voxel would lie in thousands of windows. */
export const MAX_OVERLAP = 0.9;
