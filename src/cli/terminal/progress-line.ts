// One line of progress, cut to the width of a terminal: what matters most goes last.

import { wholeDuration } from './duration.js';
import { visible } from './output.js';
import { displayWidth } from './table.js';

/** What a line of progress shows. */
export interface ProgressState {
  /** What is being done: `unet-n4 seed 1 (1/9)`. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** What is counted, such as `epoch`; `%` shows the share instead of the count. */
  readonly unit: string;
  /** Seconds that it will still take, if that is known. */
  readonly secondsLeft?: number | undefined;
  /** Short text at the end, such as loss and Dice. */
  readonly detail: string;
}

const LONGEST_BAR = 24;
const SHORTEST_BAR = 4;
const SHORTEST_LABEL = 8;

/**
 * The line for a terminal of so many columns (80 if that is not known), always narrower than it. Where there is not room
 * for all, the bar is shortened and left out, then the label is shortened, then the time, the unit and the label are left
 * out; the end of the detail is cut off last.
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

/** A text of at most so many columns, with an ellipsis where its end is missing. */
function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}
