// Reads dataset.json of the Decathlon and of nnU-Net: labels, channels and counts. Each layout finds its cases itself.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { type ListOptions } from './layout.js';

export interface DatasetJson {
  /** The file, for messages. */
  readonly source: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Reads a dataset.json. Throws a UserError of kind `data` if it is absent or not a JSON object. */
export async function readDatasetJson(root: string): Promise<DatasetJson> {
  const source = join(root, 'dataset.json');
  let text: string;
  try {
    text = await readFile(source, 'utf8');
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(
      'data',
      `${source}: ${fsReason(error)}` +
        (absent ? "; expected the dataset's folder (set dataset.root, or dataset.layout: folders)" : ''),
    );
  }
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return { source, json: json as Record<string, unknown> };
  } catch (error) {
    throw new UserError('data', `${source}: is not JSON: ${(error as Error).message}`);
  }
  throw new UserError('data', `${source}: expected a JSON object`);
}

/** A problem if `numTraining` is not the number of cases. Not checked if it is absent or if the config lists its cases. */
export function checkCount(
  { json }: DatasetJson,
  found: number,
  where: string,
  { wanted }: ListOptions,
): string[] {
  const { numTraining } = json;
  return wanted !== undefined || numTraining === undefined || numTraining === found
    ? []
    : [`numTraining: found ${JSON.stringify(numTraining)}, but ${where} has ${found} cases`];
}

/** Names under `modality` or `channel_names`; undefined if the key is absent. */
export function channelNames(
  { json }: DatasetJson,
  key: 'modality' | 'channel_names',
  problems: string[],
): string[] | undefined {
  const names = json[key];
  if (names === undefined) return undefined;
  if (typeof names === 'object' && names !== null && Object.keys(names).length > 0)
    return Object.values(names).map(String);
  problems.push(`${key}: found ${JSON.stringify(names)}, expected names by channel, such as {"0": "MRI"}`);
  return undefined;
}

/**
 * Names with their label values, in the file's order, undefined if `labels` is absent. Reads both forms:
 * {"1": "left"} (Decathlon) and {"left": 1, "both": [1, 2]} (nnU-Net).
 */
export function labelValues({ json }: DatasetJson, problems: string[]): Map<string, number[]> | undefined {
  const { labels } = json;
  if (labels === undefined) return undefined;
  const expected = 'expected names by value, such as {"1": "left"}, or values by name';
  if (typeof labels !== 'object' || labels === null) {
    problems.push(`labels: found ${JSON.stringify(labels)}, ${expected}`);
    return undefined;
  }
  const values = new Map<string, number[]>();
  for (const [key, value] of Object.entries(labels as Record<string, unknown>)) {
    const byName = [value].flat();
    if (typeof value === 'string' && /^\d+$/.test(key))
      values.set(value, [...(values.get(value) ?? []), Number(key)]);
    else if (byName.every((item): item is number => Number.isInteger(item))) values.set(key, byName);
    else problems.push(`labels.${key}: found ${JSON.stringify(value)}, ${expected}`);
  }
  return values;
}

/** Label values with their names; undefined if `labels` is absent. */
export function labelNames(file: DatasetJson, problems: string[]): Map<number, string> | undefined {
  const values = labelValues(file, problems);
  if (values === undefined) return undefined;
  const names = new Map<number, string>();
  // The name of a region of several values does not name the values.
  for (const [name, merged] of values)
    for (const value of merged) names.set(value, merged.length === 1 ? name : (names.get(value) ?? name));
  return names;
}
