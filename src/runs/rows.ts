// Reads the rows that a run has recorded. Rows of a finished run come from its CSV files, checked against the record. Rows of
// an unfinished run come from its checkpoint, since the files may be newer or older than the checkpoint.

import { join } from 'node:path';
import { peekProgress } from './checkpoint.js';
import { type Cell, type Row, readSealedCsv } from './csv.js';
import { type FoundRun } from './find.js';
import { runKey } from './identity.js';
import { type CaseRow, type EpochRow, type ScoreRow, type StepRow } from './records.js';
import { FILES, type SnapshotCasesFile } from './folders.js';

/** The type of the rows of each file that is read. */
export interface RowsOf {
  [FILES.epochs]: EpochRow;
  [FILES.steps]: StepRow;
  [FILES.scores]: ScoreRow;
  [FILES.cases]: CaseRow;
  [snapshot: SnapshotCasesFile]: CaseRow;
}

/** The keys under which checkpoints store rows, by the file that the rows are written to. */
const IN_PROGRESS: Readonly<Record<string, string>> = {
  [FILES.epochs]: 'rows',
  [FILES.steps]: 'rows',
  [FILES.scores]: 'scoreRows',
};

/** Columns of text; cells of other columns are numbers, true, false or empty. */
const TEXT: ReadonlySet<string> = new Set(['case', 'layer', 'removed_layer', 'stop']);

/**
 * The rows of a file of a run; none if the run writes no such file. Throws a UserError of kind `data` if the file of a
 * finished run has changed since lunet wrote it.
 */
export function readRows<File extends keyof RowsOf>(
  { folder, record }: FoundRun,
  file: File,
): RowsOf[File][] {
  if (record.files === undefined) {
    const progress = peekProgress<Record<string, Row[]>>(folder, runKey(record));
    return (progress?.[IN_PROGRESS[file] ?? ''] ?? []) as RowsOf[File][];
  }
  const digest = record.files[file];
  if (digest === undefined) return [];
  // The digest guarantees that these are the rows that were written, so the cast is safe.
  return readSealedCsv(join(folder, file), digest).map(typed) as RowsOf[File][];
}

function typed(row: Readonly<Record<string, string>>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, text]): [string, Cell] => [
      column,
      TEXT.has(column) ? text : cellOf(text),
    ]),
  );
}

function cellOf(text: string): Cell {
  if (text === '') return undefined;
  if (text === 'inf') return Infinity;
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}
