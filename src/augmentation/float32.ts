// Noise, exp and log from float32 and whole-number operations alone, which are the same to the bit everywhere.

const f = Math.fround;
const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** The natural logarithm of a positive, normal float32, to about 2 units in the last place (Cephes, logf). */
export function logarithm(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  // The mantissa in [sqrt(1/2), sqrt(2)).
  const upper = (bits & 0x7fffff) > 0x3504f3 ? 1 : 0;
  const exponent = (bits >> 23) - 127 + upper;
  word[0] = ((bits & 0x7fffff) | 0x3f800000) - (upper << 23);
  const x = f(float[0] - 1);
  const square = f(x * x);
  let sum = f(7.0376836292e-2);
  for (const coefficient of LOG) sum = f(f(sum * x) + f(coefficient));
  const cube = f(f(sum * x) * square);
  const small = f(f(cube + f(exponent * f(-2.1219444e-4))) - f(0.5 * square));
  return f(f(x + small) + f(exponent * f(0.693359375)));
}

const LOG = [
  -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
  -2.4999993993e-1, 3.3333331174e-1,
];

/** exp to about 2 units in the last place, of what lies within -87 to 88 (Cephes, expf). */
export function exponential(value: number): number {
  const x = Math.min(Math.max(value, -87), 88);
  // 1.5 * 2^23: adding it rounds to the nearest integer.
  const magic = 12582912;
  const k = f(f(f(x * f(Math.LOG2E)) + magic) - magic);
  const r = f(f(x - f(k * f(0.693359375))) - f(k * f(-2.1219444e-4)));
  let sum = f(1.98756915e-4);
  for (const coefficient of EXP) sum = f(f(sum * r) + f(coefficient));
  word[0] = (k + 127) << 23;
  const power = float[0] as number;
  return f(f(f(f(f(sum * r) * r) + r) + 1) * power);
}

const EXP = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];

/** A hash of 32 bits (lowbias32 of Chris Wellons's hash-prospector). */
function mix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/**
 * Adds Gaussian noise. The numbers are hashes of counters, not a stream, so they can be computed in any order: the voxels i and
 * i + half of the volume get the two normal numbers (Box-Muller) of the hashes of 2 i and 2 i + 1.
 */
export function addNoise(
  voxels: Float32Array,
  deviation: number,
  [first, second]: readonly [number, number],
): void {
  const half = Math.ceil(voxels.length / 2);
  const hash = (counter: number): number => mix(mix(counter + first) ^ second) >>> 0;
  for (let i = 0; i < half; i++) {
    const uniform = f(f((hash(2 * i) >>> 8) + 1) * f(2 ** -24));
    const radius = f(f(Math.sqrt(f(-2 * logarithm(uniform)))) * f(deviation));
    const turn = hash(2 * i + 1);
    const [cosine, sine] = directionOf(turn);
    voxels[i] = f((voxels[i] as number) + f(radius * cosine));
    const other = i + half;
    if (other < voxels.length) voxels[other] = f((voxels[other] as number) + f(radius * sine));
  }
}

/** Cosine and sine of the angle of 32 random bits: the first two choose its quarter, 24 more the angle within (Cephes, sinf). */
function directionOf(bits: number): [cosine: number, sine: number] {
  const quarter = bits >>> 30;
  const x = f(f(f(f((bits >>> 6) & 0xffffff) * f(2 ** -24)) - 0.5) * f(Math.PI / 2));
  const square = f(x * x);
  let s = f(-1.9515295891e-4);
  s = f(f(s * square) + f(8.3321608736e-3));
  s = f(f(s * square) + f(-1.6666654611e-1));
  s = f(f(f(s * square) * x) + x);
  let c = f(2.443315711809948e-5);
  c = f(f(c * square) + f(-1.388731625493765e-3));
  c = f(f(c * square) + f(4.166664568298827e-2));
  c = f(f(f(f(c * square) * square) - f(0.5 * square)) + 1);
  const [a, b] = quarter & 1 ? [-s, c] : [c, s];
  return quarter & 2 ? [-a, -b] : [a, b];
}
