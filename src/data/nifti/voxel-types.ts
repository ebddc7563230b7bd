// The voxel types of NIfTI that hold one real number, and how to read them.

/** How one voxel is stored. */
export interface VoxelType {
  readonly name: string;
  readonly bytes: number;
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number;
}

/** A 64-bit integer as a number; NaN where a number cannot hold it. */
const exact = (value: bigint): number => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
};

/** By NIfTI's datatype code. */
export const voxelTypes: Readonly<Record<number, VoxelType>> = {
  2: { name: 'uint8', bytes: 1, read: (view, at) => view.getUint8(at) },
  4: { name: 'int16', bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  8: { name: 'int32', bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  16: { name: 'float32', bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  64: { name: 'float64', bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  256: { name: 'int8', bytes: 1, read: (view, at) => view.getInt8(at) },
  512: { name: 'uint16', bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  768: { name: 'uint32', bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  1024: { name: 'int64', bytes: 8, read: (view, at, little) => exact(view.getBigInt64(at, little)) },
  1280: { name: 'uint64', bytes: 8, read: (view, at, little) => exact(view.getBigUint64(at, little)) },
};

const OTHERS: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'binary',
  32: 'complex64',
  128: 'RGB',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
  2304: 'RGBA',
};

/** A datatype code in words, for messages. */
export function voxelTypeName(code: number): string {
  return voxelTypes[code]?.name ?? OTHERS[code] ?? 'no NIfTI type';
}
