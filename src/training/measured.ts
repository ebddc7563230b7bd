// The measures of the test cases that the config asks for besides Dice. The engine predicts, worker threads measure.

import { type FurtherMetric, furtherMetrics } from '../config/metrics.js';
import { type Experiment } from '../config/schema.js';
import { type Dataset } from '../data/dataset.js';
import { volumeSize } from '../data/preprocess.js';
import { type Engine, InterruptedError, type Network } from '../engine/engine.js';
import { type Comparing } from '../evaluation/label-maps.js';
import { type Measures } from '../evaluation/measure.js';
import { type MeasuredCase, type Predicted } from '../evaluation/predicted.js';
import { type LabelSummary, meanOverLabels, summariseLabel } from '../evaluation/summary.js';
import { type TestMetrics } from '../runs/run.js';
import { type SizedImage, byWindows, sweepCase } from './windows.js';
import { askWorkers } from '../worker-pool.js';

/** The measures that the config asks for, and for each case those of its outputs, in which all others may be NaN. */
export interface Measured {
  readonly metrics: readonly FurtherMetric[];
  readonly cases: readonly (readonly Measures[])[];
}

/** The part of the context of a run that measuring needs. */
interface MeasuringContext {
  readonly config: Pick<Experiment, 'inference' | 'metrics' | 'tolerance' | 'training'>;
  readonly dataset: Pick<Dataset, 'caseAt' | 'outputs' | 'size' | 'spacing' | 'targets' | 'ignored'>;
  readonly engine: Pick<Engine, 'description'>;
  readonly signal?: AbortSignal;
}

/**
 * Measures a network on cases, on the grid that it sees; undefined if the config asks for Dice alone. Throws an
 * InterruptedError when the signal aborts.
 */
export async function measureCases(
  network: Network,
  ids: readonly string[],
  context: MeasuringContext,
): Promise<Measured | undefined> {
  const { config, dataset, engine, signal } = context;
  const metrics = furtherMetrics(config);
  if (metrics.length === 0) return undefined;
  const { batch } = config.training;
  const measured = new Map<string, readonly Measures[]>();
  // No more predictions are in memory than a batch has cases.
  for (let at = 0; at < ids.length; at += batch) {
    const questions: Predicted[] = [];
    for (const id of ids.slice(at, at + batch)) {
      if (signal?.aborted) throw new InterruptedError();
      const sized = await dataset.caseAt(id);
      questions.push({
        id,
        probabilities: await predictCase(network, sized, context),
        label: sized.label.slice(),
        targets: dataset.targets,
        ignored: dataset.ignored,
        size: volumeSize(sized.size),
        spacing: dataset.spacing(id),
      });
    }
    try {
      await askWorkers<Predicted, MeasuredCase>({
        module: new URL('../evaluation/predicted-worker.js', import.meta.url),
        workerData: { tolerance: config.tolerance, wanted: metrics } satisfies Comparing,
        questions,
        nameOf: ({ id }) => id,
        threads: engine.description.threads,
        take: ({ id, outputs }) => measured.set(id, outputs),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw new InterruptedError();
      throw error;
    }
  }
  return { metrics, cases: ids.map((id) => measured.get(id) as readonly Measures[]) };
}

/** Probabilities (outputs, D, H, W) of a case. */
async function predictCase(
  network: Network,
  sized: SizedImage,
  context: MeasuringContext,
): Promise<Float32Array> {
  if (!byWindows(context)) return network.predict([sized.image], 'running');
  const [depth, height, width] = sized.size;
  const outputs = context.dataset.outputs.length;
  const probabilities = new Float32Array(outputs * depth * height * width);
  const area = height * width;
  await sweepCase(network, sized, context, (z, plane) => {
    for (let k = 0; k < outputs; k++)
      probabilities.set(plane.subarray(k * area, (k + 1) * area), (k * depth + z) * area);
  });
  return probabilities;
}

/** What the record keeps of measures: over all labels, then by label. */
export function summariseMeasured({ metrics, cases }: Measured): TestMetrics {
  const labels = (cases[0] ?? []).map((_, k) =>
    summariseLabel(cases.map((outputs) => ({ measures: outputs[k] as Measures }))),
  );
  const summaries: LabelSummary[] = [meanOverLabels(labels), ...labels];
  const meanOf = (metric: FurtherMetric): (number | null)[] =>
    summaries.map(({ figures }) => (Number.isNaN(figures[metric].mean) ? null : figures[metric].mean));
  return {
    means: Object.fromEntries(metrics.map((metric) => [metric, meanOf(metric)])),
    misses: summaries.map(({ misses }) => misses),
  };
}
