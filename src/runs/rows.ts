// The rows that a run has recorded: of one that is over from its CSV files, checked against the record; of one that is
// under way from its checkpoint, since a file may be ahead of it or behind.

import { join } from 'node:path';
import { peekProgress } from './checkpoint.js';
import { type Row, readSealedCsv } from './csv.js';
import { type FoundRun } from './find.js';
import { runKey } from './identity.js';

/** Cells as text by column, as they stand in a CSV file. */
export type TextRow = Readonly<Record<string, string>>;

/** What the checkpoints of all kinds of runs keep rows under, by the file that they are written to. */
const IN_PROGRESS: Readonly<Record<string, string>> = {
  'epochs.csv': 'rows',
  'steps.csv': 'rows',
  'scores.csv': 'scoreRows',
};

/**
 * A run's rows of a file; none if the run writes no such file. Throws a UserError of kind `data` if the file of a finished
 * run is not as lunet wrote it.
 */
export function readRows({ folder, record }: FoundRun, file: string): TextRow[] {
  if (record.files !== undefined) {
    const digest = record.files[file];
    return digest === undefined ? [] : readSealedCsv(join(folder, file), digest);
  }
  const progress = peekProgress<Record<string, Row[]>>(folder, runKey(record));
  return (progress?.[IN_PROGRESS[file] ?? ''] ?? []).map(asText);
}

function asText(row: Row): TextRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, cell]) => [column, cell === undefined ? '' : String(cell)]),
  );
}
