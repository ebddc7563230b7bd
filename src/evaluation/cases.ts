// Measures all cases of an evaluation in worker threads, so that this thread stays free for progress and signals.

import { freeMemory } from '../memory.js';
import { askWorkers } from '../worker-pool.js';
import { type CasePaths, type CaseResult, type EvaluationSettings } from './files.js';
import { type Label, type LabelResult } from './label-maps.js';

/** A request to a worker. */
export type Question = CasePaths;

/** The answer of a worker; `short` if the case does not fit into the worker's share of memory. */
export type Answer = { readonly id: string } & (
  { readonly result: CaseResult } | { readonly problem: string } | { readonly short: true }
);

/** The settings of a worker. */
export interface WorkerSettings {
  readonly settings: EvaluationSettings;
  /** Bytes of memory that it may use for a case; undefined: all free memory. */
  readonly share?: number | undefined;
}

export interface Evaluation {
  readonly labels: readonly Label[];
  /** In the order of the cases; every case has a result for each label. */
  readonly cases: readonly CaseResult[];
  /** By case: why it could not be measured. */
  readonly problems: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/**
 * Measures all cases, `jobs` at a time. Without labels in the settings, it measures every value that occurs in a reference. The
 * result lists bad cases. Rejects with the reason of the signal.
 */
export async function evaluateCases(
  cases: readonly CasePaths[],
  settings: EvaluationSettings,
  {
    jobs,
    progress,
    signal,
  }: {
    readonly jobs: number;
    readonly progress?: (done: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<Evaluation> {
  const results = new Map<string, CaseResult>();
  const problems = new Map<string, string>();
  const large: CasePaths[] = [];
  const ask = (questions: readonly CasePaths[], threads: number, share?: number): Promise<void> =>
    askWorkers<Question, Answer>({
      module: new URL('./worker.js', import.meta.url),
      workerData: { settings, share } satisfies WorkerSettings,
      questions,
      nameOf: ({ id }) => id,
      threads,
      take: (answer) => {
        if ('short' in answer) large.push(cases.find(({ id }) => id === answer.id) as CasePaths);
        else if ('result' in answer) results.set(answer.id, answer.result);
        else problems.set(answer.id, answer.problem);
        progress?.(results.size + problems.size);
      },
      signal,
    });
  const threads = Math.min(jobs, cases.length);
  await ask(cases, threads, threads > 1 ? freeMemory() / threads : undefined);
  // A case that is too large while others are measured may fit alone.
  await ask(large, 1);
  const measured = cases.flatMap(({ id }) => results.get(id) ?? []);
  return { problems, ...completed(measured, settings.labels) };
}

/** Every case with every label, and warnings. */
function completed(
  cases: readonly CaseResult[],
  wanted: readonly Label[] | undefined,
): Omit<Evaluation, 'problems'> {
  const voxelsIn = (name: string, of: 'reference' | 'prediction'): number =>
    cases
      .flatMap(({ results }) => results.filter(({ label }) => label.name === name))
      .reduce((sum, { counts }) => sum + counts.tp + (of === 'reference' ? counts.fn : counts.fp), 0);
  const files = cases.flatMap(({ id, warnings }) => warnings.map((warning) => `${id}: ${warning}`));
  if (wanted !== undefined) {
    const absent = wanted.filter(({ name }) => voxelsIn(name, 'reference') === 0).map(({ name }) => name);
    const none = cases.length > 0 && absent.length > 0;
    return {
      labels: wanted,
      cases,
      warnings: [...files, ...(none ? [`no reference has the labels ${absent.join(', ')}`] : [])],
    };
  }
  const seen = new Map(cases.flatMap(({ results }) => results.map(({ label }) => [label.name, label])));
  const all = [...seen.values()].sort((a, b) => (a.values[0] as number) - (b.values[0] as number));
  const labels = all.filter(({ name }) => voxelsIn(name, 'reference') > 0);
  const unknown = all.filter((label) => !labels.includes(label));
  return {
    labels,
    cases: cases.map((found) => ({
      ...found,
      results: labels.map(
        (label) =>
          found.results.find((result) => result.label.name === label.name) ?? nothing(label, found.voxels),
      ),
    })),
    warnings: [
      ...files,
      ...unknown.map(
        ({ name }) =>
          `predictions have the value ${name} (${voxelsIn(name, 'prediction')} voxels), which no reference has: it is not measured`,
      ),
    ],
  };
}

/** The result of a label that neither map of a case has. */
function nothing(label: Label, voxels: number): LabelResult {
  return {
    label,
    counts: { tp: 0, fp: 0, fn: 0, tn: voxels },
    measures: { dice: NaN, iou: NaN, hd95: NaN, assd: NaN, nsd: NaN },
    referenceVolume: 0,
    predictionVolume: 0,
  };
}
