// Half precision: IEEE 754 binary16, with 11 significant bits, up to 65504, down to 2^-24.

/** The largest number that half precision holds. */
export const MAX_FLOAT16 = 65504;

const SMALLEST_NORMAL_EXPONENT = -14;
const FRACTION_BITS = 10;
const INFINITY_BITS = 0x7c00;

/**
 * The 16 bits of the half-precision number nearest to `value`; if two are equally near, the one whose last bit is 0. Numbers below
 * 2^-14 become subnormal; numbers from 65520 become infinite.
 */
export function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude === Infinity) return sign | INFINITY_BITS;
  // If log2 rounds up to a whole number, the division below rounds up too, so the result is the same.
  const exponent = Math.max(SMALLEST_NORMAL_EXPONENT, Math.floor(Math.log2(magnitude)));
  const units = roundHalfToEven(magnitude / 2 ** (exponent - FRACTION_BITS));
  // The leading 1 of a normal number counts as 1024 units, which adds 1 to the exponent; so does rounding up to 2048.
  const bits = (exponent - SMALLEST_NORMAL_EXPONENT) * 2 ** FRACTION_BITS + units;
  return sign | Math.min(bits, INFINITY_BITS);
}

function roundHalfToEven(value: number): number {
  return value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
}

/** Whether the number stays finite in half precision. */
export function isFloat16(value: number): boolean {
  return (float16Bits(value) & INFINITY_BITS) !== INFINITY_BITS;
}
