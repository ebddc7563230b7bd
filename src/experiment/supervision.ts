// Processes that `lunet run` starts end when it ends, for whatever reason. Otherwise they would continue unseen, and the next
// `lunet run` would find their runs locked.

/** Set in the environment of a process that must end with its parent; the parent has a channel to it. */
export const SUPERVISED = 'LUNET_SUPERVISED';

let stop: (() => void) | undefined;

/**
 * Calls `action` when the supervising process has ended; immediately if it has already. Replaces an earlier action. Does
 * nothing in a process without a supervisor.
 */
export function endWithSupervisor(action: () => void): void {
  // `connected` is undefined in a process that never had a channel, and false after the other end has closed.
  if (!process.env[SUPERVISED] || process.connected === undefined) return;
  if (!process.connected) return action();
  if (stop === undefined) {
    process.once('disconnect', () => stop?.());
    // This listener must not keep the process alive.
    process.channel?.unref();
  }
  stop = action;
}
