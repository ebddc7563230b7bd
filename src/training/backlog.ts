// Postpones file writes, mainly of checkpoints, until the next computation of the engine is running, so that an engine with
// its own threads does not wait for the disk between epochs. With an engine that computes on this thread, files are written
// right after the step. If the process is killed before that, an epoch is repeated, with the same bits.

/** Postponed work, in order. */
export type Backlog = (() => void)[];

/** Does the postponed work. If a part of it throws, rethrows and drops the rest. */
export function catchUp(backlog: Backlog): void {
  for (const work of backlog.splice(0)) work();
}

/**
 * Awaits a computation of the engine and does the postponed work meanwhile. If either fails, rejects after the computation
 * has ended.
 */
export async function meanwhile<T>(backlog: Backlog | undefined, computing: Promise<T>): Promise<T> {
  if (backlog === undefined || backlog.length === 0) return computing;
  const settled = computing.then(
    () => undefined,
    () => undefined,
  );
  // Some engines start computing only when this function yields.
  await new Promise(setImmediate);
  try {
    catchUp(backlog);
  } finally {
    await settled;
  }
  return computing;
}
