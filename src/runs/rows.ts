// The rows that a run has recorded: of one that is over from its CSV files, checked against the record; of one that is
// under way from its checkpoint, since a file may be ahead of it or behind.

import { join } from 'node:path';
import { peekProgress } from './checkpoint.js';
import { type Cell, type Row, readSealedCsv } from './csv.js';
import { type FoundRun } from './find.js';
import { runKey } from './identity.js';
import { type CaseRow, type EpochRow, type ScoreRow, type StepRow } from './records.js';
import { FILES, type SnapshotCasesFile } from './folders.js';

/** What the rows of each file that is read back are. */
export interface RowsOf {
  [FILES.epochs]: EpochRow;
  [FILES.steps]: StepRow;
  [FILES.scores]: ScoreRow;
  [FILES.cases]: CaseRow;
  [snapshot: SnapshotCasesFile]: CaseRow;
}

/** What the checkpoints of all kinds of runs keep rows under, by the file that they are written to. */
const IN_PROGRESS: Readonly<Record<string, string>> = {
  [FILES.epochs]: 'rows',
  [FILES.steps]: 'rows',
  [FILES.scores]: 'scoreRows',
};

/** Columns of text; what stands in others is a number, true, false or nothing. */
const TEXT: ReadonlySet<string> = new Set(['case', 'layer', 'removed_layer', 'stop']);

/**
 * A run's rows of a file; none if the run writes no such file. Throws a UserError of kind `data` if the file of a finished
 * run is not as lunet wrote it.
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
  // The digest says that these are the rows that were written.
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
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}
