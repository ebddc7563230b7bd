// Converts probabilities to stored values: label values, a mask for each output, or probabilities as bytes.

import { type Output } from '../model/model.js';

/** Whether no label value belongs to two outputs. */
function areDisjoint(outputs: readonly Output[]): boolean {
  const values = outputs.flatMap((output) => output.values);
  return new Set(values).size === values.length;
}

/** The label value of an output: its only value, or the first of its merged values. */
export const paintedValue = ({ values }: Output): number => values[0] as number;

/** Whether label values need more than a byte. Depends only on the model, so that all its results have the same type. */
export function needsWords(outputs: readonly Output[]): boolean {
  return outputs.some(({ values }) => values.some((value) => value > 255));
}

/**
 * A function that writes a plane of probabilities (outputs, y, x) as label values into `out`, from index `first` with steps along x
 * and y, and counts the voxels of each output in `counts`. If outputs are disjoint, the most probable one above 0.5 wins;
 * overlapping outputs are painted over each other in their order.
 */
export function labelPainter(
  outputs: readonly Output[],
  [width, height]: readonly [number, number],
  out: Uint8Array | Uint16Array,
  counts: Float64Array,
): (plane: Float32Array, first: number, stepX: number, stepY: number) => void {
  const painted = outputs.map(paintedValue);
  const disjoint = areDisjoint(outputs);
  const area = width * height;
  return (plane, first, stepX, stepY) => {
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0, at = first + y * stepY; x < width; x++, i++, at += stepX) {
        let found = -1;
        for (let k = 0, best = 0.5; k < painted.length; k++) {
          const p = plane[k * area + i] as number;
          if (!(p > best)) continue;
          found = k;
          if (disjoint) best = p;
        }
        if (found < 0) continue;
        out[at] = painted[found] as number;
        counts[found] = (counts[found] as number) + 1;
      }
  };
}

/** Writes one output of a plane into `out`: 1 above 0.5, else 0; or 255 times the probability. Returns the number above 0.5. */
export function writeOutput(
  plane: Float32Array,
  start: number,
  [width, height]: readonly [number, number],
  out: Uint8Array,
  [first, stepX, stepY]: readonly [number, number, number],
  scale: 'mask' | 'probability',
): number {
  let above = 0;
  for (let y = 0, i = start; y < height; y++)
    for (let x = 0, at = first + y * stepY; x < width; x++, i++, at += stepX) {
      const p = plane[i] as number;
      if (p > 0.5) above++;
      out[at] = scale === 'mask' ? Number(p > 0.5) : Math.round(255 * p);
    }
  return above;
}
