// JSON as the json module of Python writes and reads it: with NaN and Infinity, which the JSON of JavaScript does not have.

/** The text of plain data whose numbers may be NaN or infinite: sorted keys, four spaces per level. */
export function pythonJson(value: unknown): string {
  return `${format(value, '\n')}\n`;
}

function format(value: unknown, line: string): string {
  const inner = `${line}    `;
  const wrap = (parts: readonly string[], open: string, close: string): string =>
    parts.length === 0 ? open + close : `${open}${inner}${parts.join(`,${inner}`)}${line}${close}`;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value))
    return wrap(
      value.map((item) => format(item, inner)),
      '[',
      ']',
    );
  if (typeof value === 'object' && value !== null)
    return wrap(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${JSON.stringify(key)}: ${format(item, inner)}`),
      '{',
      '}',
    );
  return JSON.stringify(value);
}
