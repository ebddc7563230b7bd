// One case before it is preprocessed.

import { type Extent } from './preprocess.js';

/** A case as stored on disk or as generated. */
export interface RawCase {
  readonly size: Extent;
  /** Distance between voxels in mm. */
  readonly spacing: Extent;
  /** The directions of the axes, such as `RAS`. */
  readonly orientation: string;
  readonly channels: number;
  /** (channels, z, y, x) */
  readonly image: Float32Array | Float64Array;
  /** Label values as stored, (z, y, x). */
  readonly label: Float32Array | Float64Array | Uint8Array;
  /** The names of image and label for messages. */
  readonly imageFile: string;
  readonly labelFile: string;
  /** Label values without an output that count as background. */
  readonly background: readonly number[];
  readonly warnings: readonly string[];
}
