// Shared by commands that compute: loading engine and data with progress, and the final table.

import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type FurtherMetric, furtherMetrics } from '../config/metrics.js';
import { type Experiment, type ModelConfig } from '../config/schema.js';
import { type Dataset, loadDataset } from '../data/dataset.js';
import { createEngine } from '../engine/index.js';
import { formatMeasure, measureTitle } from '../evaluation/names.js';
import { collectRuns, describeLeftOut } from '../experiment/collect.js';
import { type LeftOut } from '../runs/find.js';
import { type SummaryRow, summaryMetricColumns } from '../runs/records.js';
import { writeSummary } from '../runs/summary.js';
import { requireMemory } from '../training/memory.js';
import { type RunContext } from '../training/life.js';
import { duration } from './terminal/duration.js';
import { startCaseProgress } from './terminal/progress.js';
import { note, print, warn } from './terminal/output.js';
import { formatTable } from './terminal/table.js';
import { FILES, SUMMARY_FILE } from '../runs/folders.js';

interface SessionOptions {
  readonly engine: string;
  readonly isa?: string | undefined;
  readonly threads?: number | undefined;
  readonly overwrite?: boolean | undefined;
}

/**
 * Loads the engine and the data; shows progress and warnings on stderr. Before it loads the data, it checks that these models
 * fit into memory.
 */
export async function openSession(
  config: Experiment,
  { engine: name, isa, threads, overwrite = false }: SessionOptions,
  signal: AbortSignal,
  models: readonly ModelConfig[] = [],
): Promise<RunContext> {
  const engine = await createEngine(name, { threads, isa, warn, say: note, signal });
  const { device, threads: count } = engine.description;
  note(`Engine: ${engine.description.name} (${device}, ${count} thread${count === 1 ? '' : 's'})`);
  await requireMemory(config, engine, models);
  const dataset = await loadCases(config, signal);
  return { config, dataset, engine, overwrite, signal, warn };
}

/** Loads the data; shows progress and warnings on stderr. */
export async function loadCases(config: Experiment, signal: AbortSignal): Promise<Dataset> {
  const progress = startCaseProgress('Loading cases');
  const dataset = await loadDataset(config, { signal, progress: progress.update }).finally(progress.stop);
  dataset.warnings.forEach(warn);
  return dataset;
}

/** The data of the final table of a command, for one split. */
interface ShownSummary {
  readonly split: string;
  readonly file: string;
  readonly rows: readonly SummaryRow[];
  readonly leftOut: readonly LeftOut[];
}

/** Rewrites summary.csv of every split; prints its rows of a kind as a table, the runs left out, and the paths of files. */
export function showSummary(config: Experiment, kind: SummaryRow['kind'] | undefined): ShownSummary[] {
  // A split without runs has no folder to write to.
  const begun = collectRuns(config).filter(({ base }) => existsSync(base));
  const shown = begun.map(({ split, base, runs, leftOut }): ShownSummary & { base: string } => ({
    split,
    base,
    file: join(base, SUMMARY_FILE),
    rows: writeSummary(base, runs),
    leftOut,
  }));
  if (kind !== undefined)
    for (const { split, base, file, rows } of shown) {
      const ofKind = rows.filter((row) => row.kind === kind);
      if (ofKind.length === 0) continue;
      print(`${split === 'default' ? '' : `Split ${split}\n`}${summaryTable(ofKind, config)}`);
      note(`\nWritten: ${relative('', file) || file}`);
      note(
        `         ${relative('', join(base, kind))}/**/seed-*/${kind === 'prune' ? FILES.steps : FILES.epochs}`,
      );
    }
  noteLeftOut(describeLeftOut(shown));
  return shown.map(({ split, file, rows, leftOut }) => ({ split, file, rows, leftOut }));
}

const MOST_SHOWN = 20;

/** Prints on stderr which runs are left out of tables, and why. */
export function noteLeftOut(lines: readonly string[]): void {
  if (lines.length === 0) return;
  const more = lines.length > MOST_SHOWN ? [`and ${lines.length - MOST_SHOWN} more`] : [];
  note(`\nLeft out:\n${[...lines.slice(0, MOST_SHOWN), ...more].map((line) => `  ${line}`).join('\n')}`);
}

function summaryTable(rows: readonly SummaryRow[], config: Experiment): string {
  const metrics = furtherMetrics(config);
  const median = (row: SummaryRow, metric: FurtherMetric): string => {
    const value = row[summaryMetricColumns(metric).median];
    return typeof value === 'number' ? formatMeasure(metric, value) : '';
  };
  const labelled = new Set(rows.map(({ label }) => label)).size > 1;
  return formatTable(
    [
      { title: 'Method' },
      ...(labelled ? [{ title: 'Label' }] : []),
      { title: 'Parameters', align: 'right' },
      { title: 'Test Dice', align: 'right' },
      { title: 'MAD', align: 'right' },
      ...metrics.map((metric) => ({
        title: measureTitle(metric, config.tolerance),
        align: 'right' as const,
      })),
      ...(metrics.length > 0 ? [{ title: 'Misses', align: 'right' as const }] : []),
      { title: 'Seeds', align: 'right' },
      { title: 'Time per run', align: 'right' },
    ],
    rows.map((row) => [
      row.method,
      ...(labelled ? [row.label] : []),
      row.parameters.toLocaleString('en'),
      `${row.upper_bound ? '≤ ' : ''}${row.dice_median.toFixed(4)}`,
      row.dice_mad.toFixed(4),
      ...metrics.map((metric) => median(row, metric)),
      ...(metrics.length > 0 ? [String(row.misses_median ?? '')] : []),
      String(row.seeds),
      duration(row.seconds_median),
    ]),
  );
}
