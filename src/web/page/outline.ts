// The outline of a label: the edges between pixels inside and outside.

/**
 * The outline of the pixels of a plane (rows of `width`) whose value is 1 in `member`: lines x0, y0, x1, y1 one after the other,
 * in pixels from the top left corner. Everything beyond the plane is outside.
 */
export function outlineOf(
  plane: Uint8Array,
  width: number,
  height: number,
  member: Uint8Array,
): readonly number[] {
  const inside = (x: number, y: number): boolean =>
    x >= 0 && x < width && y >= 0 && y < height && member[plane[y * width + x] as number] === 1;
  const lines: number[] = [];
  // Edges of neighbouring pixels become one line.
  for (let y = 0; y <= height; y++)
    for (let x = 0, start = -1; x <= width; x++) {
      const edge = x < width && inside(x, y - 1) !== inside(x, y);
      if (edge && start < 0) start = x;
      if (!edge && start >= 0) {
        lines.push(start, y, x, y);
        start = -1;
      }
    }
  for (let x = 0; x <= width; x++)
    for (let y = 0, start = -1; y <= height; y++) {
      const edge = y < height && inside(x - 1, y) !== inside(x, y);
      if (edge && start < 0) start = y;
      if (!edge && start >= 0) {
        lines.push(x, start, x, y);
        start = -1;
      }
    }
  return lines;
}
