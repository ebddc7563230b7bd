// Who a process is, in words that another process can judge by, and what can be said of it from here.

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, as it writes itself into a lock. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Changes with every start of the machine; absent where the system does not say. */
  readonly boot?: string | undefined;
  /** The PID namespace: numbers of processes mean something only within one, such as a container. */
  readonly namespace?: string | undefined;
  /** Clock ticks from the machine's start to the process's: tells it from a later one of the same number. */
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

/** Reads an owner; undefined if the text is none. */
export function parseOwner(text: string): Owner | undefined {
  const owner = quietly(() => JSON.parse(text) as Partial<Owner> | null);
  return Number.isSafeInteger(owner?.pid) && (owner?.pid as number) > 0 && typeof owner?.host === 'string'
    ? (owner as Owner)
    : undefined;
}

/** Whether an owner's process number means here what it means there. */
export function isNear({ host, boot, namespace }: Owner): boolean {
  const here = thisProcess();
  // Only Linux has namespaces; where it does not tell its own, nothing is known.
  const told = namespace !== undefined || process.platform !== 'linux';
  return told && host === here.host && boot === here.boot && namespace === here.namespace;
}

/** Whether a process runs: `unknown` if it is in another container, on another machine, or kept secret by the system. */
export function lifeOf(owner: Owner): 'alive' | 'dead' | 'unknown' {
  if (!isNear(owner)) return 'unknown';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  // A /proc of another namespace would answer for another process.
  const ownProc = quietly(() => readlinkSync('/proc/self')) === String(process.pid);
  const started = ownProc ? quietly(() => startIn(`/proc/${owner.pid}/stat`)) : undefined;
  if (started === undefined || owner.started === undefined) return 'unknown';
  return started === owner.started ? 'alive' : 'dead';
}

/** The start of a process; `ended` if it has, and only its parent has not asked for its exit code. */
function startIn(stat: string): string | undefined {
  const text = readFileSync(stat, 'utf8');
  // The command's name, in brackets, may hold spaces and brackets itself; field 22 is the start.
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
