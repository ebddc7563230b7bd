// Identifies a process for other processes, and tells whether such a process is alive.

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, as it is described in its lock file. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Boot id, which changes with every start of the machine; absent if the system does not provide it. */
  readonly boot?: string | undefined;
  /** The PID namespace, such as that of a container: process numbers are valid only inside it. */
  readonly namespace?: string | undefined;
  /** Start time in clock ticks since the start of the machine: distinguishes it from a later process of the same number. */
  readonly started?: string | undefined;
  /** The Slurm job that it runs in. */
  readonly job?: string | undefined;
}

let self: Owner | undefined;

export function thisProcess(): Owner {
  self ??= {
    pid: process.pid,
    host: hostname(),
    boot: quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: quietly(() => readlinkSync('/proc/self/ns/pid')),
    started: quietly(() => startIn('/proc/self/stat')),
    job: process.env['SLURM_JOB_ID'],
  };
  return self;
}

/** Parses an owner; undefined if the text is not one. */
export function parseOwner(text: string): Owner | undefined {
  const owner = quietly(() => JSON.parse(text) as Partial<Owner> | null);
  return Number.isSafeInteger(owner?.pid) && (owner?.pid as number) > 0 && typeof owner?.host === 'string'
    ? (owner as Owner)
    : undefined;
}

/** Whether the process number of an owner is valid here: same machine, same boot, same namespace. */
export function isNear({ host, boot, namespace }: Owner): boolean {
  const here = thisProcess();
  // Only Linux has namespaces; if it does not show ours, we cannot tell.
  const told = namespace !== undefined || process.platform !== 'linux';
  return told && host === here.host && boot === here.boot && namespace === here.namespace;
}

/** Whether a process runs: `unknown` if it is in another container, on another machine, or hidden by the system. */
export function lifeOf(owner: Owner): 'alive' | 'dead' | 'unknown' {
  if (!isNear(owner)) return 'unknown';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  // A /proc of another namespace would describe other processes.
  const ownProc = quietly(() => readlinkSync('/proc/self')) === String(process.pid);
  const started = ownProc ? quietly(() => startIn(`/proc/${owner.pid}/stat`)) : undefined;
  if (started === undefined || owner.started === undefined) return 'unknown';
  return started === owner.started ? 'alive' : 'dead';
}

/** The start time of a process; `ended` for a zombie, whose parent has not read its exit code yet. */
function startIn(stat: string): string | undefined {
  const text = readFileSync(stat, 'utf8');
  // The name of the command, in parentheses, may contain spaces and parentheses; field 22 is the start time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ['Z', 'X'].includes(fields[0] as string) ? 'ended' : fields[19];
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
