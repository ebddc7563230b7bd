// Warnings of many cases, without repetition.

/** The warnings of cases: each once, with the first case that has it and the number of others. */
export function countWarnings(
  cases: readonly { readonly id: string; readonly warnings: readonly string[] }[],
): string[] {
  const ids = new Map<string, string[]>();
  for (const { id, warnings } of cases)
    for (const warning of new Set(warnings)) ids.set(warning, [...(ids.get(warning) ?? []), id]);
  return [...ids].map(
    ([warning, [first, ...more]]) =>
      `${first}${more.length > 0 ? ` and ${more.length} more case${more.length > 1 ? 's' : ''}` : ''}: ${warning}`,
  );
}
