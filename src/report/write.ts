// Writes the files of a report: CSV, figures, the page.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { modelPage } from '../export/html.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { type Row, writeCsv } from '../runs/csv.js';
import { REPORT, SUMMARY_FILE, experimentFolder } from '../runs/folders.js';
import { summaryColumns } from '../runs/records.js';
import { charts } from './charts/index.js';
import { reportPage } from './page.js';
import { type Results } from './results.js';
import { bestSmallNetwork } from './small-network.js';
import { type Table } from './table.js';

/** Writes everything below OUTPUT/EXPERIMENT/report and returns that folder. */
export async function writeReport(
  results: Results,
  tables: readonly Table[],
  figures: boolean,
): Promise<string> {
  const folder = join(experimentFolder(results.config), REPORT.folder);
  makeFolder(folder);
  writeCsv(
    join(folder, SUMMARY_FILE),
    [...new Set(['split', ...summaryColumns(results.summary)])],
    results.summary,
  );
  const steps = results.steps.map(({ split, method, seed, values }): Row => ({
    split,
    method,
    seed,
    ...values,
  }));
  const columns = [...new Set(['split', 'method', 'seed', ...steps.flatMap(Object.keys)])];
  writeCsv(join(folder, REPORT.steps), columns, steps);
  writeCsv(
    join(folder, REPORT.comparisons),
    ['split', 'kind', 'method', 'reference', 'pairs', 'median_difference', 'low', 'high', 'p'],
    results.comparisons.map(({ medianDifference, interval, ...row }) => ({
      ...row,
      median_difference: medianDifference,
      low: interval[0],
      high: interval[1],
    })),
  );
  if (!figures) return folder;
  const { drawCharts } = await import('./charts/draw.js');
  const drawn = await drawCharts(results);
  removeFigures(
    folder,
    drawn.map(({ name }) => name),
  );
  for (const { name, svg, png } of drawn) {
    commitFile(join(folder, `${name}.svg`), svg);
    commitFile(join(folder, `${name}.png`), png);
  }
  const network = bestSmallNetwork(results);
  const segment = join(folder, REPORT.segment);
  if (network) commitFile(segment, modelPage(network.model));
  // One of an earlier report would be of a network that is not the best any more.
  else rmSync(segment, { force: true });
  commitFile(join(folder, REPORT.page), reportPage(results, tables, drawn, network));
  return folder;
}

/** Removes figures of earlier reports that this one does not have: they would look current but show old results. */
function removeFigures(folder: string, kept: readonly string[]): void {
  const names = charts.map(({ name }) => name);
  for (const file of readdirSync(folder)) {
    const figure = /^(.*)\.(?:svg|png)$/.exec(file)?.[1];
    if (figure === undefined || kept.includes(figure)) continue;
    if (names.some((name) => figure === name || figure.startsWith(`${name}-`)))
      rmSync(join(folder, file), { force: true });
  }
}
