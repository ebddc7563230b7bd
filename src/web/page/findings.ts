// The table of results: a row for each output with its volume, and a box that shows or hides its outline.

import { type ShownResult } from './messages.js';

/** Colours on black that colour-blind people can distinguish (Okabe and Ito). */
const COLOURS = ['#e69f00', '#56b4e9', '#f0e442', '#009e73', '#cc79a7', '#d55e00', '#0072b2'];

const colourOf = (k: number): string => COLOURS[k % COLOURS.length] as string;

/** The colours of all outlines. */
export function allColours({ findings }: ShownResult): string[] {
  return findings.map((_, k) => colourOf(k));
}

/** Fills the body of the table; calls `change` with the colours of the visible outlines. */
export function showFindings(
  body: HTMLElement,
  { findings }: ShownResult,
  change: (colours: readonly (string | undefined)[]) => void,
): void {
  const boxes: HTMLInputElement[] = [];
  body.replaceChildren(
    ...findings.map(({ name, voxels, volume }, k) => {
      const box = document.createElement('input');
      box.type = 'checkbox';
      box.checked = true;
      box.style.accentColor = colourOf(k);
      box.addEventListener('change', () =>
        change(boxes.map(({ checked }, i) => (checked ? colourOf(i) : undefined))),
      );
      boxes.push(box);
      const swatch = document.createElement('span');
      swatch.className = 'swatch';
      swatch.style.background = colourOf(k);
      const label = document.createElement('label');
      label.append(box, swatch, name);
      return row(label, volume.toFixed(volume < 10 ? 3 : 1), voxels.toLocaleString('en'));
    }),
  );
}

function row(label: HTMLElement, ...numbers: readonly string[]): HTMLTableRowElement {
  const element = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.append(label);
  const cells = numbers.map((text) => {
    const cell = document.createElement('td');
    cell.textContent = text;
    return cell;
  });
  element.append(head, ...cells);
  return element;
}

/** Writes a list of sentences into an element, which is hidden if there are none. */
export function showWarnings(list: HTMLElement, warnings: readonly string[]): void {
  list.hidden = warnings.length === 0;
  list.replaceChildren(
    ...warnings.map((warning) => {
      const item = document.createElement('li');
      item.textContent = warning;
      return item;
    }),
  );
}
