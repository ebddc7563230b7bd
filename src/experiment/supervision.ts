// Processes that `lunet run` starts end with it, however it ends: nobody would see how they go on, and the next
// `lunet run` would find them in its way.

/** Set in the environment of a process that is to end with its parent, which has a channel to it. */
export const SUPERVISED = 'LUNET_SUPERVISED';

let stop: (() => void) | undefined;

/**
 * Has `action` called when the process that supervises this one is gone, in the place of an earlier action; at once if it
 * is gone already. Does nothing in a process that has no supervisor.
 */
export function endWithSupervisor(action: () => void): void {
  // `connected` is undefined in a process that never had a channel, and false once its other end has been closed.
  if (!process.env[SUPERVISED] || process.connected === undefined) return;
  if (!process.connected) return action();
  if (stop === undefined) {
    process.once('disconnect', () => stop?.());
    // Waiting for the end of the other keeps nobody from ending.
    process.channel?.unref();
  }
  stop = action;
}
