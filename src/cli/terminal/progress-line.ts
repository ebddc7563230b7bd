// One line of progress, shortened to the width of a terminal: the most important text is cut last.

import { wholeDuration } from './duration.js';
import { visible } from './output.js';
import { displayWidth } from './table.js';

/** The content of a line of progress. */
export interface ProgressState {
  /** The current work: `unet-n4 seed 1 (1/9)`. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** The unit that is counted, such as `epoch`; `%` shows a percentage instead of the count. */
  readonly unit: string;
  /** Remaining seconds, if known. */
  readonly secondsLeft?: number | undefined;
  /** Short text at the end, such as loss and Dice. */
  readonly detail: string;
}

const LONGEST_BAR = 24;
const SHORTEST_BAR = 4;
const SHORTEST_LABEL = 8;

/**
 * The line for a terminal with this number of columns (80 if unknown); it is always narrower than the terminal. If there is
 * not enough space, it first shortens and then leaves out the bar, then shortens the label, then leaves out the time, the
 * unit and the label; last it cuts off the end of the detail.
 */
export function progressLine(state: ProgressState, columns: number | undefined): string {
  const room = (columns || 80) - 1;
  const label = visible(state.label);
  const detail = visible(state.detail);
  const { done, total, unit, secondsLeft } = state;
  const bare = unit === '%' ? `${Math.floor((100 * done) / total)} %` : `${done}/${total}`;
  const count = unit === '%' || unit === '' ? bare : `${unit} ${bare}`;
  const left = secondsLeft === undefined ? '' : `${wholeDuration(secondsLeft)} left`;
  const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('  ');

  const before = label === '' ? '' : `${label} `;
  const spare = room - displayWidth(before + join('x', count, left, detail)) + 1;
  if (spare >= SHORTEST_BAR)
    return join(before + bar(done / total, Math.min(LONGEST_BAR, spare)), count, left, detail);
  for (const parts of [
    [count, left, detail],
    [count, detail],
    [bare, detail],
  ]) {
    const forLabel = room - displayWidth(join(...parts)) - 2;
    if (forLabel >= Math.min(SHORTEST_LABEL, displayWidth(label)))
      return join(shorten(label, forLabel), ...parts);
  }
  return shorten(
    displayWidth(join(bare, detail)) <= room || detail === '' ? join(bare, detail) : detail,
    room,
  );
}

function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** A text of at most `width` columns, with an ellipsis if its end is cut off. */
function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}
