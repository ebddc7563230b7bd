// Counts intensities in memory of a fixed size: percentiles, mean and deviation of any number of voxels.

// A bin has the floats that agree in their sign, their exponent and the first 11 bits of their mantissa. Whole numbers up to 4096
// (all of CT) have a bin each; the values in any other bin differ by less than 0.05 %.
const DROPPED_BITS = 12;
const BINS = 2 ** (32 - DROPPED_BITS);

/** What is computed along the way. */
export interface Moments {
  readonly voxels: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Sum of the squared distances from the mean. */
  readonly squares: number;
}

/** Moments with counts by bin. Plain data, since it is sent between threads. */
export interface Intensities extends Moments {
  /** Bins that are not empty, in ascending order of intensity, and their counts. */
  readonly bins: Uint32Array;
  readonly counts: Float64Array;
}

/** What is told of intensities; percentiles are values of voxels (nearest rank), to 0.05 % of their size. */
export interface IntensityStatistics {
  readonly voxels: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly deviation: number;
  /** Voxels that are exactly 0. */
  readonly zeros: number;
  readonly percentiles: { readonly '0.5': number; readonly '50': number; readonly '99.5': number };
}

/** Collects intensities. */
export class IntensityCounter {
  readonly #counts = new Float64Array(BINS);
  #moments = NOTHING;

  /** Counts finite voxels. */
  add(voxels: Float32Array): void {
    if (voxels.length === 0) return;
    const bits = new Uint32Array(voxels.buffer, voxels.byteOffset, voxels.length);
    let [min, max, sum] = [Infinity, -Infinity, 0];
    for (let i = 0; i < voxels.length; i++) {
      const value = voxels[i] as number;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      const bin = binOf(bits[i] as number);
      this.#counts[bin] = (this.#counts[bin] as number) + 1;
    }
    const mean = sum / voxels.length;
    let squares = 0;
    for (let i = 0; i < voxels.length; i++) squares += ((voxels[i] as number) - mean) ** 2;
    this.#moments = merged(this.#moments, { voxels: voxels.length, min, max, mean, squares });
  }

  /** Everything so far. */
  found(): Intensities {
    const bins: number[] = [];
    for (let bin = 0; bin < BINS; bin++) if ((this.#counts[bin] as number) > 0) bins.push(bin);
    return {
      ...this.#moments,
      bins: Uint32Array.from(bins),
      counts: Float64Array.from(bins, (bin) => this.#counts[bin] as number),
    };
  }
}

/** Adds up what counters found, in any order, with the same result. */
export class IntensitySum {
  readonly #counts = new Float64Array(BINS);
  readonly #parts = new Map<string, Moments>();

  /** Adds the intensities of a case. */
  add(id: string, { bins, counts, ...moments }: Intensities): void {
    for (let i = 0; i < bins.length; i++) {
      const bin = bins[i] as number;
      this.#counts[bin] = (this.#counts[bin] as number) + (counts[i] as number);
    }
    this.#parts.set(id, moments);
  }

  /** Undefined if there is no voxel. */
  statistics(): IntensityStatistics | undefined {
    const parts = [...this.#parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, moments]) => moments);
    const { voxels, min, max, mean, squares } = parts.reduce(merged, NOTHING);
    if (voxels === 0) return undefined;
    const percentile = (percent: number): number => {
      const rank = Math.round((percent / 100) * (voxels - 1));
      let [bin, below] = [0, this.#counts[0] as number];
      while (below <= rank) below += this.#counts[++bin] as number;
      return Math.min(max, Math.max(min, valueOf(bin)));
    };
    const percentiles = { '0.5': percentile(0.5), '50': percentile(50), '99.5': percentile(99.5) };
    const zeros = (this.#counts[binOf(0)] as number) + (this.#counts[binOf(0x80000000)] as number);
    return { voxels, min, max, mean, deviation: Math.sqrt(squares / voxels), zeros, percentiles };
  }
}

const NOTHING: Moments = { voxels: 0, min: Infinity, max: -Infinity, mean: 0, squares: 0 };

/** Moments of two sets together (Chan, Golub and LeVeque, 1979). */
function merged(a: Moments, b: Moments): Moments {
  if (a.voxels === 0 || b.voxels === 0) return a.voxels === 0 ? b : a;
  const voxels = a.voxels + b.voxels;
  const distance = b.mean - a.mean;
  return {
    voxels,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: a.mean + (distance * b.voxels) / voxels,
    squares: a.squares + b.squares + (distance ** 2 * a.voxels * b.voxels) / voxels,
  };
}

/** The bin of the bits of a float32; bins are in the order of their values. */
function binOf(bits: number): number {
  // Negative numbers grow with their bits.
  return ((bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0) >>> DROPPED_BITS;
}

/** The value of a bin that is nearest to 0: the whole number, if the bin has one. */
function valueOf(bin: number): number {
  const ordered = (bin << DROPPED_BITS) >>> 0;
  const bits = ordered & 0x80000000 ? ordered & 0x7fffffff : ~(ordered | (2 ** DROPPED_BITS - 1));
  return new Float32Array(Uint32Array.of(bits).buffer)[0] as number;
}
