// The voxel types of NIfTI for one real number, and the arrays for them.

/** Voxels as stored, in the byte order of the machine. */
export type StoredVoxels =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** How one voxel is stored. */
export interface VoxelType {
  readonly name: string;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly array: new (buffer: ArrayBufferLike, offset: number, length: number) => StoredVoxels;
}

/** By the datatype code of NIfTI. */
export const voxelTypes: Readonly<Record<number, VoxelType>> = {
  2: { name: 'uint8', bytes: 1, array: Uint8Array },
  4: { name: 'int16', bytes: 2, array: Int16Array },
  8: { name: 'int32', bytes: 4, array: Int32Array },
  16: { name: 'float32', bytes: 4, array: Float32Array },
  64: { name: 'float64', bytes: 8, array: Float64Array },
  256: { name: 'int8', bytes: 1, array: Int8Array },
  512: { name: 'uint16', bytes: 2, array: Uint16Array },
  768: { name: 'uint32', bytes: 4, array: Uint32Array },
  1024: { name: 'int64', bytes: 8, array: BigInt64Array },
  1280: { name: 'uint64', bytes: 8, array: BigUint64Array },
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
