// The order of a table's cells when a reader sorts by a column. The page carries this function's text: it must be whole.

/**
 * Compares two cells, as `Array.sort` wants it: numbers by the first number in each (`≤ 0.95 ± 0.01`, `1,234`,
 * `*0.9*`, `< 0.001`), text as people sort it, with 5% before 25%. Empty cells come last, whichever way is up.
 */
export function compareCells(a: string, b: string, numeric: boolean, up: boolean): number {
  const valueOf = (cell: string): number => {
    if (!numeric) return cell.trim() === '' ? NaN : 0;
    const found = /[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?/i.exec(cell);
    if (found === null) return NaN;
    const value = Number(found[0].replaceAll(',', ''));
    return cell.trim().startsWith('<') ? value - Math.abs(value) / 2 : value;
  };
  const x = valueOf(a);
  const y = valueOf(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  const order = numeric ? x - y : a.localeCompare(b, 'en', { numeric: true });
  return up ? order : -order;
}
