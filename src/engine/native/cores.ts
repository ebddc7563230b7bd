// The useful number of threads: one per physical core, since two threads on one core share its multipliers.

import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const CPUS = '/sys/devices/system/cpu';

/** The number of physical cores that this process may use; if unknown, the number of all its processors. */
export function physicalCores(): number {
  const processors = availableParallelism();
  try {
    const read = (cpu: string, file: string): string =>
      readFileSync(`${CPUS}/${cpu}/topology/${file}`, 'utf8').trim();
    const cores = readdirSync(CPUS)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((cpu) => `${read(cpu, 'physical_package_id')}/${read(cpu, 'core_id')}`);
    return Math.max(1, Math.min(processors, new Set(cores).size));
  } catch {
    return processors;
  }
}
