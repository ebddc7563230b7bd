// One case before it is preprocessed.

import { type Extent } from './preprocess.js';

/** A case as it lies on disk, or as a generator made it. */
export interface RawCase {
  readonly size: Extent;
  /** Distance between voxels in mm. */
  readonly spacing: Extent;
  /** Where the axes point, such as `RAS`. */
  readonly orientation: string;
  readonly channels: number;
  /** (channels, z, y, x) */
  readonly image: Float32Array | Float64Array;
  /** Label values as stored, (z, y, x). */
  readonly label: Float32Array | Float64Array | Uint8Array;
  /** What to call image and label in messages. */
  readonly imageFile: string;
  readonly labelFile: string;
  /** Label values that count as background though no output names them. */
  readonly background: readonly number[];
  readonly warnings: readonly string[];
}
