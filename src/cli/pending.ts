// Which of a command's runs are still to be done.

import { type Identity, readRun, requireSameIdentity } from '../runs/run.js';
import { note } from './terminal.js';

/** A run as the commands plan it. */
interface Planned {
  readonly folder: string;
  readonly identity: Identity;
}

/**
 * The runs that are not finished, or all with `overwrite`; says how many are done. Throws a UserError of kind `usage` if
 * one was started with other settings.
 */
export function openRuns<T extends Planned>(planned: readonly T[], overwrite: boolean): T[] {
  const open = planned.filter((run) => {
    const record = readRun(run.folder);
    if (record && !overwrite) requireSameIdentity(run.folder, record, run.identity);
    return overwrite || (record?.status !== 'finished' && record?.status !== 'diverged');
  });
  const done = planned.length - open.length;
  if (done > 0) note(`${done} of ${planned.length} runs are done already (to redo them: --overwrite).`);
  return open;
}

/** What would happen to a run. */
export function pendingState(run: Planned, overwrite: boolean): 'done' | 'to resume' | 'to start' {
  const record = overwrite ? undefined : readRun(run.folder);
  if (record === undefined) return 'to start';
  return record.status === 'finished' || record.status === 'diverged' ? 'done' : 'to resume';
}
