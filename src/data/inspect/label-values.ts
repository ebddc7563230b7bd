// Counts the values of a label map, voxel by voxel.

import { UserError } from '../../errors.js';
import { listed } from '../labels.js';

// An image that is used as a label by mistake has millions of values, more than a Map can hold.
const MOST_VALUES = 10_000;

/** Counts whole numbers; remembers others. */
export class LabelCounter {
  readonly #voxels = new Map<number, number>();
  readonly #broken = new Map<number, number>();

  constructor(readonly file: string) {}

  /** Rounds values within 0.001 of a whole number and counts them. Returns where the label is not 0. */
  add(values: Float32Array | Float64Array): Uint8Array {
    const foreground = new Uint8Array(values.length);
    let [previous, run] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      // Most voxels are as their neighbour, and a Map is slow.
      if (value !== previous) {
        this.#count(previous, run);
        [previous, run] = [value, 0];
      }
      run++;
      foreground[i] = Math.round(value) === 0 ? 0 : 1;
    }
    this.#count(previous, run);
    return foreground;
  }

  /** Voxels by value, in ascending order. Throws a UserError of kind `data` if values are not labels. */
  found(): (readonly [value: number, voxels: number])[] {
    if (this.#broken.size > 0)
      throw new UserError(
        'data',
        `${this.file}: found label values ${listed(this.#broken)}, expected whole numbers`,
      );
    if (this.#voxels.size >= MOST_VALUES)
      throw new UserError(
        'data',
        `${this.file}: found ${MOST_VALUES} label values or more, expected a label map; is it an image?`,
      );
    return [...this.#voxels].sort(([a], [b]) => a - b);
  }

  #count(value: number, voxels: number): void {
    if (voxels === 0) return;
    const rounded = Math.round(value);
    const [counts, key] = Math.abs(rounded - value) <= 1e-3 ? [this.#voxels, rounded] : [this.#broken, value];
    const known = counts.get(key);
    if (known !== undefined || counts.size < MOST_VALUES) counts.set(key, (known ?? 0) + voxels);
  }
}
