// Intensities as greys.

/** Percentiles shown as black and white, so that a few voxels of metal or noise do not darken all others. */
const DARKEST = 0.5;
const BRIGHTEST = 99.5;
const SAMPLES = 100_000;

/** The intensities shown as black and white: the window of training, or percentiles of the finite voxels. */
export function greyWindow(voxels: Float32Array | Float64Array): readonly [black: number, white: number] {
  const step = Math.max(1, Math.floor(voxels.length / SAMPLES));
  const samples = Float64Array.from({ length: Math.ceil(voxels.length / step) }, (_, i) =>
    Number(voxels[i * step]),
  )
    .filter(Number.isFinite)
    .sort();
  const pick = (percent: number): number => samples[Math.round((percent / 100) * (samples.length - 1))] ?? 0;
  return [pick(DARKEST), pick(BRIGHTEST)];
}

/** Greys from 0 to 255. */
export function greys(
  voxels: Float32Array | Float64Array,
  [black, white]: readonly [number, number],
): Uint8Array {
  const out = new Uint8Array(voxels.length);
  const scale = 255 / Math.max(white - black, Number.MIN_VALUE);
  for (let i = 0; i < out.length; i++)
    out[i] = Math.min(255, Math.max(0, Math.round(((voxels[i] as number) - black) * scale)));
  return out;
}
