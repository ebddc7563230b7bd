// Quoting of words in command lines that a user is told to type, or that a shell runs.

/** Quotes a word for a shell, if necessary. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
