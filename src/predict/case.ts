// One case of `lunet predict`: reads, segments and writes it, or skips it if that was done before.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { determinantOf } from '../data/nifti/affine.js';
import { type Volume, inWords } from '../data/nifti/decode.js';
import { imageOfPair } from '../data/nifti/read.js';
import { readTogether } from '../data/read-together.js';
import { roomWithin } from '../data/room.js';
import { SCANS } from '../data/together.js';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { type ModelDescription } from '../model/model.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { sha256 } from '../sha256.js';
import { type Destination, type Wanted, allFiles, encodeFiles, resultFiles } from './files.js';
import { type Input } from './inputs.js';
import { requireApart } from './place.js';
import { type CaseResult, ELSEWHERE, type Making, doneAlready, writeRecord } from './record.js';
import { resultWarnings, scanOf } from '../inference/scan.js';
import { type Ensemble, type Scan } from '../inference/segment.js';

/** What all cases of a command share. */
export interface Prediction {
  readonly ensemble: Ensemble;
  readonly making: Omit<Making, 'input'>;
  readonly destination: Destination;
  readonly wanted: Wanted;
  /** Whether existing files are replaced. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The outcome of a case. */
export interface Outcome extends CaseResult {
  readonly status: 'done' | 'skipped';
  /** Paths of its files. */
  readonly files: readonly string[];
}

/**
 * Segments a case. Throws a UserError: of kind `data` for a scan that cannot be read or does not fit the model, `usage` for
 * files in the way, `disk`, `engine`, `interrupted`.
 */
export async function predictCase(
  { ensemble, making: shared, destination, wanted, force, signal }: Prediction,
  input: Input,
  progress?: (done: number, total: number) => void,
): Promise<Outcome> {
  if (input.problem !== undefined) throw new UserError('data', input.problem);
  const { description } = ensemble;
  const { outputs } = description;
  const { folder } = destination;
  const names = resultFiles(input, destination, outputs, wanted);
  const files = allFiles(names).map((file) => join(folder, file));
  const read = input.files.flatMap(filesOf);
  requireApart(read, files);
  const making: Making = { ...shared, input: await Promise.all(read.map(hashOf)) };
  const known = force ? undefined : doneAlready(folder, names.name, making, allFiles(names));
  if (known) {
    const { voxels, voxelVolume, warnings } = known;
    return { status: 'skipped', files, voxels, voxelVolume, warnings };
  }
  const { scan, first, warnings } = await readScan(input, description);
  requireRoom(input, scan, description, wanted);
  const { size, spacing, orientation } = scan;
  const found = await ensemble.segment(scan, { ...wanted, progress, signal });
  const result: CaseResult = {
    voxels: Object.fromEntries(outputs.map(({ name }, k) => [name, found.voxels[k] as number])),
    voxelVolume: Math.abs(determinantOf(first.affine)),
    warnings: [...new Set(warnings), ...resultWarnings(description, { size, spacing, orientation }, found)],
  };
  const encoded: [file: string, bytes: Uint8Array][] = [];
  for await (const file of encodeFiles(first, names, found)) encoded.push(file);
  signal?.throwIfAborted();
  // The record comes first: after a kill between two files it shows that those which are there are results of this case.
  const digests = Object.fromEntries(encoded.map(([file, bytes]) => [file, sha256(bytes)]));
  writeRecord(folder, names.name, making, result, digests);
  for (const [file, bytes] of encoded) {
    const path = join(folder, file);
    makeFolder(dirname(path), ELSEWHERE);
    commitFile(path, bytes, { elsewhere: ELSEWHERE });
  }
  return { status: 'done', files, ...result };
}

/** Reads the files of a case. The voxels of `first` have moved to the scan. */
async function readScan(
  { files }: Input,
  description: ModelDescription,
): Promise<{ scan: Scan; first: Omit<Volume, 'voxels'>; warnings: string[] }> {
  const { volumes, warnings } = await readTogether(files, files.length, SCANS, roomWithin(), 'float32');
  const scan = scanOf(volumes, files[0] as string, description);
  const first = { ...(volumes[0] as Volume), voxels: undefined };
  return { scan, first, warnings };
}

/** Asks for the memory of the result, of resampled volumes, and of the planes that windows touch. */
function requireRoom(
  { files }: Input,
  { size, channels }: Scan,
  { outputs, preprocessing, architecture }: ModelDescription,
  { separate, probabilities }: Wanted,
): void {
  const voxels = size[0] * size[1] * size[2];
  const perVoxel = (separate ? outputs.length : 2) + (probabilities ? outputs.length : 0);
  const turned = (channels[0]?.BYTES_PER_ELEMENT ?? 4) * (preprocessing.spacing ? channels.length : 1);
  const slab = 4 * preprocessing.size[2] * architecture.labels * size[0] * size[1];
  roomWithin()({
    bytes: voxels * (perVoxel + turned) + slab,
    longest: voxels * (probabilities ? outputs.length : 1),
    what: `${files[0]}: ${inWords(size, 'voxels')} and what is made of them`,
    advice: 'close other programs',
  });
}

/** The file of a volume, and for a .hdr its .img. */
function filesOf(file: string): string[] {
  return [...new Set([file, imageOfPair(file)])];
}

/** SHA-256 of a file, which is read piece by piece. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    // A pipe or device would block or never end.
    if (!(await stat(file)).isFile()) throw new Error('it is not a regular file');
    for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  } catch (error) {
    throw new UserError('data', `${file}: cannot be read: ${fsReason(error)}`, { cause: error });
  }
  return hash.digest('hex');
}
