// What a dataset contains: every file is read once, by worker threads, each of them in memory that does not depend on the
// size of the files.

import { availableParallelism } from 'node:os';
import { askWorkers } from '../../worker-pool.js';
import { countWarnings } from '../count-warnings.js';
import { detectLayout } from '../layouts/detect.js';
import { type LayoutName, listCases } from '../layouts/index.js';
import { type CaseFiles } from '../layouts/layout.js';
import { type CaseFacts, type InspectedCase } from './case-facts.js';
import { type IntensityStatistics, IntensitySum } from './intensities.js';

/** A request to a worker, and its answer. */
export type Question = CaseFiles;
export type Answer = { readonly id: string } & (
  { readonly found: InspectedCase } | { readonly problem: string }
);

/** Statistics of the intensities of a channel over all good cases; undefined where there are no such voxels. */
export interface ChannelFacts {
  readonly name: string;
  readonly all: IntensityStatistics | undefined;
  readonly foreground: IntensityStatistics | undefined;
}

/** Facts about a dataset. */
export interface DatasetFacts {
  readonly root: string;
  readonly layout: LayoutName;
  /** Good cases, sorted by id. */
  readonly cases: readonly CaseFacts[];
  readonly channels: readonly ChannelFacts[];
  /** Whether dataset.json names the channels. */
  readonly channelsNamed: boolean;
  /** Names by label value, if dataset.json has them. */
  readonly labels: ReadonlyMap<number, string> | undefined;
  /** A line for each problem. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

export interface InspectOptions {
  /** Number of threads; default: one per processor, up to 16. */
  readonly jobs?: number | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Stops the work; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Inspects the dataset in a folder. Problems of files are told in the result. Throws a UserError of kind `data` if there is
 * no dataset.
 */
export async function inspectDataset(
  root: string,
  { jobs = Math.min(availableParallelism(), 16), progress, signal }: InspectOptions = {},
): Promise<DatasetFacts> {
  const layout = await detectLayout(root);
  const faults: string[] = [];
  const listing = await listCases(layout, root, {
    followLinks: false,
    fault: (problem) => void faults.push(problem),
  });
  const { cases: files } = listing;
  const facts = new Map<string, CaseFacts>();
  const problems = new Map<string, string>();
  // By number of channels, since cases may differ in it.
  const sums = new Map<number, Sums[]>();
  await askWorkers<Question, Answer>({
    module: new URL('./worker.js', import.meta.url),
    workerData: undefined,
    questions: files,
    nameOf: ({ id }) => id,
    threads: Math.min(jobs, files.length),
    take: (answer) => {
      if ('problem' in answer) problems.set(answer.id, answer.problem);
      else {
        facts.set(answer.id, answer.found.facts);
        addTo(sums, answer.found);
      }
      progress?.(facts.size + problems.size, files.length);
    },
    signal,
  });
  // In the order of the cases, so that results do not depend on the threads.
  faults.push(...files.flatMap(({ id }) => problems.get(id)?.split('\n') ?? []));
  const found = files.flatMap(({ id }) => facts.get(id) ?? []);
  const named = listing.channels;
  const expected = named?.names.length ?? found[0]?.channels ?? 0;
  const why = named ? `${named.key} names ${expected}` : `${found[0]?.id} has ${expected}`;
  for (const { id, channels } of found)
    if (channels !== expected)
      faults.push(`${id}: found ${channels} channel${channels > 1 ? 's' : ''}, but ${why}`);
  const cases = found.filter(({ channels }) => channels === expected);
  return {
    root,
    layout,
    cases,
    channels: (sums.get(expected) ?? []).map(({ all, foreground }, channel) => ({
      name: named?.names[channel] ?? `channel ${channel}`,
      all: all.statistics(),
      foreground: foreground.statistics(),
    })),
    channelsNamed: named !== undefined,
    labels: listing.labels?.names,
    faults,
    warnings: [...listing.warnings, ...countWarnings(cases)],
  };
}

/** The intensities of a channel over all cases. */
interface Sums {
  readonly all: IntensitySum;
  readonly foreground: IntensitySum;
}

function addTo(sums: Map<number, Sums[]>, { facts: { id }, intensities }: InspectedCase): void {
  const known =
    sums.get(intensities.length) ??
    intensities.map(() => ({ all: new IntensitySum(), foreground: new IntensitySum() }));
  sums.set(intensities.length, known);
  for (const [channel, { all, foreground }] of intensities.entries()) {
    known[channel]?.all.add(id, all);
    known[channel]?.foreground.add(id, foreground);
  }
}
