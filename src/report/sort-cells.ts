// The order of table cells when a reader sorts by a column. The page contains the text of this function, so the function must
// not use anything outside of itself.

/**
 * Compares two cells for `Array.sort`: numbers by the first number in each (`≤ 0.95 ± 0.01`, `1,234`, `*0.9*`, `< 0.001`),
 * text in natural order, with 5% before 25%. Empty cells come last in both directions.
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
