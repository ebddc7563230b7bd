// Reads NIfTI files from disk.

import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { type Room, roomWithin } from '../room.js';
import { ADVICE, type Volume, decodeNifti } from './decode.js';
import { inflateAll, inflateStart } from './inflate.js';
import { type Scaled } from './voxels.js';

/** The file with the voxels of a pair: `a.img.gz` for `a.hdr.gz`. */
export function imageOfPair(header: string): string {
  return header.replace(/\.hdr(\.gz)?$/i, '.img$1');
}

/**
 * Reads a .nii, .nii.gz, or .hdr with its .img beside it. Asks `room` before it allocates memory. Throws a UserError of kind
 * `data` that names file, field, found and expected.
 */
export async function readNifti(file: string, room: Room = roomWithin(), scaled?: Scaled): Promise<Volume> {
  const bytes = await readBytes(file, room);
  return decodeNifti(bytes, {
    file,
    inflater: { start: inflateStart, all: inflateAll },
    room,
    scaled,
    image: async () => {
      const image = imageOfPair(file);
      if (image === file)
        throw new UserError('data', `${file}: is the header of a pair, expected a name ending in .hdr`);
      return { file: image, bytes: await readBytes(image, room) };
    },
  });
}

async function readBytes(file: string, room: Room): Promise<Uint8Array> {
  const refuse = (reason: string): UserError => new UserError('data', `${file}: cannot be read: ${reason}`);
  const found = await stat(file).catch((error: unknown) => {
    throw refuse(fsReason(error));
  });
  // A pipe or device would block or never end.
  if (!found.isFile()) throw refuse('it is not a regular file');
  room({ bytes: found.size, longest: found.size, what: `${file}: its ${found.size} bytes`, advice: ADVICE });
  return readFile(file).catch((error: unknown) => {
    throw refuse(fsReason(error));
  });
}
