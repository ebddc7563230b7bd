// The record of a segmented case: a sealed JSON file in `.lunet` beside the results. It lets the same command resume, and protects
// results that were made with other settings or by other programs.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_INFERENCE } from '../config/inference.js';
import { UserError } from '../errors.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { seal, unseal } from '../runs/sealed.js';
import { sha256 } from '../sha256.js';

const VERSION = 1;
const FOLDER = '.lunet';

/** Everything that determines a result. */
export interface Making {
  /** Names and SHA-256 of the models, in a fixed order. */
  readonly models: readonly { readonly name: string; readonly sha256: string }[];
  /** Axes along which windows were mirrored. */
  readonly mirror: readonly string[];
  /** The part of a window that neighbours share. */
  readonly overlap: number;
  /** SHA-256 of the scan's files. */
  readonly input: readonly string[];
}

/** The result. */
export interface CaseResult {
  /** Voxels of each output by name. */
  readonly voxels: Readonly<Record<string, number>>;
  /** Volume of a voxel in cubic mm. */
  readonly voxelVolume: number;
  readonly warnings: readonly string[];
}

export interface CaseRecord extends Making, CaseResult {
  readonly version: typeof VERSION;
  /** SHA-256 of the result's files by their path from the output folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** The advice if the folder cannot be written. */
export const ELSEWHERE = 'choose another place with -o';

const pathOf = (folder: string, name: string): string => join(folder, FOLDER, `${name}.json`);

/** Writes the record of a case. Throws a UserError of kind `disk`. */
export function writeRecord(
  folder: string,
  name: string,
  making: Making,
  result: CaseResult,
  files: Readonly<Record<string, string>>,
): void {
  makeFolder(join(folder, FOLDER), ELSEWHERE);
  const record: CaseRecord = { version: VERSION, ...making, ...result, files };
  commitFile(pathOf(folder, name), seal(record), { elsewhere: ELSEWHERE });
}

/**
 * The record of a case if all its files exist and were made in this way; undefined if there is something to do. Throws a UserError
 * of kind `usage` if another file is in the way.
 */
export function doneAlready(
  folder: string,
  name: string,
  making: Making,
  files: readonly string[],
): CaseRecord | undefined {
  const present = files.filter((file) => existsSync(join(folder, file)));
  const [first] = present;
  if (first === undefined) return undefined;
  const refuse = (what: string): never => {
    throw new UserError('usage', `${join(folder, first)}: ${what}; to replace it: --force`);
  };
  const record = readRecord(folder, name);
  if (record === undefined) return refuse('is there already, and not known as a result of lunet predict');
  if (JSON.stringify(record.models) !== JSON.stringify(making.models))
    return refuse(`is a result of another model (${record.models.map((model) => model.name).join(', ')})`);
  if (record.overlap !== making.overlap)
    return refuse(`was made with windows that overlap by ${record.overlap}, not ${making.overlap}`);
  if (record.mirror.join() !== making.mirror.join()) return refuse('was made with other mirroring');
  if (record.input.join() !== making.input.join()) return refuse('was made from another scan');
  for (const file of present)
    if (sha256(readFileSync(join(folder, file))) !== record.files[file])
      throw new UserError(
        'usage',
        `${join(folder, file)}: has changed since lunet wrote it; to replace it: --force`,
      );
  return present.length === files.length ? record : undefined;
}

/** The record of a case; undefined if it is missing or damaged. */
function readRecord(folder: string, name: string): CaseRecord | undefined {
  try {
    const record = unseal(readFileSync(pathOf(folder, name), 'utf8')) as CaseRecord | undefined;
    // Records of earlier versions lack the overlap, which was always the default.
    return record?.version === VERSION
      ? { ...record, overlap: record.overlap ?? DEFAULT_INFERENCE.overlap }
      : undefined;
  } catch {
    return undefined;
  }
}
