// A checkpoint contains everything that a run needs to resume with the same bits: weights, optimizer state and the progress
// of the run, in one file. Two generations are kept; if the newest one is damaged, the previous one is used.

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { type OptimizerState, type Tensor, type Weights } from '../network/weights.js';
import { commitFile } from './commit.js';
import { encodeSafetensors, readSafetensors } from './safetensors.js';
import { FILES } from './folders.js';

/** The state of a run between two epochs, or two steps of an epoch. `Progress` is plain JSON; it depends on the kind of run. */
export interface Checkpoint<Progress> {
  /** The key of its run, see `runKey`. */
  readonly run: string;
  readonly weights: Weights;
  readonly optimizer: OptimizerState;
  readonly progress: Progress;
}

const FORMAT = '2';

/** The bytes of a checkpoint: a copy, which later changes of the weights do not affect. */
export function encodeCheckpoint({ run, weights, optimizer, progress }: Checkpoint<unknown>): Uint8Array {
  const tensors = new Map<string, Tensor>(weights);
  for (const [name, tensor] of optimizer.m) tensors.set(`adam.m.${name}`, tensor);
  for (const [name, tensor] of optimizer.v) tensors.set(`adam.v.${name}`, tensor);
  const metadata = { format: FORMAT, run, step: String(optimizer.step), progress: JSON.stringify(progress) };
  return encodeSafetensors({ tensors, metadata });
}

/** Writes the bytes of a checkpoint and keeps the previous checkpoint. */
export function writeCheckpoint(folder: string, bytes: Uint8Array): void {
  commitFile(join(folder, FILES.checkpoint), bytes, { previous: join(folder, FILES.previousCheckpoint) });
}

/**
 * Reads the newest readable checkpoint of the run with this key, to resume the run. Renames a damaged or foreign one, so
 * the caller must hold the lock of the run. Throws a UserError of kind `disk` if none can be read: a run never restarts
 * from the beginning by itself.
 */
export function readCheckpoint<Progress>(
  folder: string,
  run: string,
  warn: (message: string) => void,
): Checkpoint<Progress> {
  const { found, problems } = newestReadable<Progress>(folder, run);
  // Renamed, since otherwise the next checkpoint would move it to the place of the good one.
  for (const { path } of problems) renameSync(path, join(folder, FILES.damagedCheckpoint));
  const list = problems.map(({ message }) => message);
  if (found === undefined)
    throw new UserError(
      'disk',
      [
        ...list,
        `${folder}: there is no readable checkpoint to resume from; start the run again with --overwrite`,
      ].join('\n'),
    );
  if (list.length > 0) warn(`${list.join('; ')}; resuming from the previous checkpoint`);
  return found;
}

/** The progress of the run with this key in its newest readable checkpoint; changes nothing, needs no lock. */
export function peekProgress<Progress>(folder: string, run: string): Progress | undefined {
  return newestReadable<Progress>(folder, run).found?.progress;
}

/** The newest readable checkpoint, and the problems of newer ones. */
function newestReadable<Progress>(
  folder: string,
  run: string,
): { found?: Checkpoint<Progress>; problems: { path: string; message: string }[] } {
  const problems: { path: string; message: string }[] = [];
  for (const path of [FILES.checkpoint, FILES.previousCheckpoint].map((name) => join(folder, name))) {
    if (!existsSync(path)) continue;
    try {
      return { found: parse<Progress>(path, run), problems };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push({ path, message: error.message });
    }
  }
  return { problems };
}

function parse<Progress>(path: string, run: string): Checkpoint<Progress> {
  const { tensors, metadata } = readSafetensors(path);
  const { format, step, progress } = metadata;
  if (format !== FORMAT || step === undefined || progress === undefined)
    throw new UserError('data', `${path}: found checkpoint format ${format ?? 'none'}, expected ${FORMAT}`);
  if (metadata['run'] !== run) throw new UserError('data', `${path}: belongs to another run`);
  const pick = (prefix: string): Weights =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, t]) => [name.slice(prefix.length), t]),
    );
  return {
    run,
    weights: new Map([...tensors].filter(([name]) => !name.startsWith('adam.'))),
    optimizer: { step: Number(step), m: pick('adam.m.'), v: pick('adam.v.') },
    progress: JSON.parse(progress) as Progress,
  };
}
