// Which outputs a network gets: the labels and regions that dataset.json names, or every label value that occurs.

import { type LabelSummary } from '../data/inspect/summary.js';
import { type DatasetDescription } from './description.js';

/** The outputs by name, and what was left out and why. */
export interface ChosenLabels {
  readonly outputs: Readonly<Record<string, number | readonly number[]>>;
  /** Label values that occur and belong to no output. */
  readonly others: readonly number[];
  readonly why: string;
}

/** What an engine computes at most. */
const MOST_OUTPUTS = 32;

/** Chooses the outputs from the label values that occur in the good cases (`found`, without 0) and from dataset.json. */
export function chooseLabels(
  found: readonly LabelSummary[],
  { labels: described, ignore }: Pick<DatasetDescription, 'labels' | 'ignore'>,
): ChosenLabels {
  const occurring = new Set(
    found.filter(({ cases, value }) => cases > 0 && value > 0 && value !== ignore).map(({ value }) => value),
  );
  const named = described ?? [...occurring].map((value): [string, number[]] => [`label ${value}`, [value]]);
  const absent = named.filter(([, values]) => !values.some((value) => occurring.has(value)));
  const usable = named.filter((label) => !absent.includes(label));
  const kept = usable.slice(0, MOST_OUTPUTS);
  const outputs: Record<string, number | number[]> = {};
  for (const [name, values] of kept)
    outputs[freeName(name, outputs)] = values.length === 1 ? (values[0] as number) : values;
  const covered = new Set(kept.flatMap(([, values]) => values));
  const others = [...occurring].filter((value) => !covered.has(value));
  const regions = kept.filter(([, values]) => values.length > 1).length;
  return {
    outputs,
    others,
    why: [
      described ? 'as dataset.json names them' : 'every label value that occurs; give them names',
      ...(regions > 0 ? ['a list of values is one region'] : []),
      ...(absent.length > 0 ? [`no case has ${absent.map(([name]) => name).join(', ')}`] : []),
      ...(usable.length > kept.length
        ? [`of ${usable.length}, the first ${MOST_OUTPUTS}, the most that there can be`]
        : []),
    ].join('; '),
  };
}

/** A name as experiment files allow it, that is not taken: it starts with a letter. */
function freeName(name: string, taken: Readonly<Record<string, unknown>>): string {
  const plain = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, ' ')
    .trim()
    .slice(0, 80);
  const allowed = /^\p{L}/u.test(plain) ? plain : `label ${plain}`.trim();
  let free = allowed;
  for (let number = 2; free in taken; number++) free = `${allowed} ${number}`;
  return free;
}
