// What is written between two computations of the engine, checkpoints above all, waits for the next one and is written
// while that runs: an engine with threads of its own need not wait for the disk between epochs. One that computes on this
// thread has its files written right after the step. A kill before that repeats an epoch, to the same bits.

/** Work put off, in its order. */
export type Backlog = (() => void)[];

/** Does what has been put off. Throws what it throws; the rest is dropped then. */
export function catchUp(backlog: Backlog): void {
  for (const work of backlog.splice(0)) work();
}

/**
 * Awaits a computation of the engine and meanwhile does what has been put off. Rejects, once the engine is at rest, if
 * either fails.
 */
export async function meanwhile<T>(backlog: Backlog | undefined, computing: Promise<T>): Promise<T> {
  if (backlog === undefined || backlog.length === 0) return computing;
  const settled = computing.then(
    () => undefined,
    () => undefined,
  );
  // An engine may begin only when this function waits.
  await new Promise(setImmediate);
  try {
    catchUp(backlog);
  } finally {
    await settled;
  }
  return computing;
}
