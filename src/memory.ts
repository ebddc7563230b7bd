// How much memory the machine still has to give.

/** Free memory in bytes, limits of a container included; infinite where Node cannot tell (early versions of 20). */
export function freeMemory(): number {
  const { availableMemory } = process as unknown as { availableMemory?: () => number };
  return availableMemory?.call(process) ?? Number.POSITIVE_INFINITY;
}

/** Bytes as a person says them: `1.5 GiB`. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
