// The free memory of the machine.

/** Free memory in bytes, within the limits of a container; infinite if Node.js cannot tell (early versions of 20). */
export function freeMemory(): number {
  const { availableMemory } = process as unknown as { availableMemory?: () => number };
  return availableMemory?.call(process) ?? Number.POSITIVE_INFINITY;
}

/** Bytes as text: `1.5 GiB`. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
