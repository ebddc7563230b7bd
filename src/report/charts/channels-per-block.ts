// Figure 3: channels of each block at the snapshots, median over seeds.

import { median } from 'simple-statistics';
import { type Architecture, blockWidths, listBlocks } from '../../network/architecture.js';
import { type Results } from '../results.js';
import { type Line, lineLayers } from './lines.js';
import { withLegend } from './legend.js';
import { inPanels } from './panels.js';
import { type Chart, byMethod } from './style.js';

const SIZE = { width: 250, height: 250 };
const COLUMNS = 3;

export const channelsPerBlock: Chart = {
  name: 'channels-per-block',
  title: 'Channels per block at the snapshots of pruning (median over seeds)',
  spec: (results, looks) => {
    const runs = byMethod(
      results,
      results.records.filter(({ kind, pruning }) => kind === 'prune' && pruning !== undefined),
    );
    const percents = [
      ...new Set(
        runs.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row.pruning?.snapshots ?? {}))),
      ),
    ].sort((a, b) => Number(b) - Number(a));
    if (percents.length === 0) return undefined;
    const panels = percents.map((percent) => ({
      title: [`${percent} % of the channels`],
      lines: runs
        .map(({ kind, method, name, rows }): Line => {
          const widths = new Map<string, number[]>();
          for (const { pruning } of rows)
            for (const [block, channels] of channelsByBlock(pruning?.snapshots[percent]?.architecture))
              widths.set(block, [...(widths.get(block) ?? []), channels]);
          const points = [...widths].map(([block, channels]) => ({ x: block, y: median(channels) }));
          return { name, look: looks(kind, method), points };
        })
        .filter(({ points }) => points.length > 0),
    }));
    const most = Math.max(
      ...panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(({ y }) => y))),
    );
    const x = {
      type: 'nominal',
      sort: blockOrder(runs.flatMap(({ rows }) => rows)),
      title: null,
      axis: { labelAngle: -60, labelOverlap: false },
    };
    const y = { title: 'Channels', scale: { domain: [0, most] } };
    return withLegend(
      inPanels(
        panels.map(({ title, lines }) => ({
          title,
          spec: { layer: lineLayers(lines, { x, y, everyPoint: true }) },
        })),
        { ...SIZE, columns: COLUMNS },
      ),
      runs.map(({ kind, method, name }) => ({ name, look: looks(kind, method) })),
      { width: Math.min(COLUMNS, panels.length) * (SIZE.width + 60), as: 'lines' },
    );
  },
};

function channelsByBlock(architecture: Architecture | undefined): [block: string, channels: number][] {
  if (architecture === undefined) return [];
  return listBlocks(architecture).map((place) => [
    `${place.side}.${place.level}`,
    blockWidths(architecture, place).reduce((sum, width) => sum + width, 0),
  ]);
}

/** Blocks in the order of data flow, for the network with the most levels. */
function blockOrder(records: Results['records']): string[] {
  const deepest = records.reduce((a, b) =>
    b.architecture.encoder.length > a.architecture.encoder.length ? b : a,
  );
  return listBlocks(deepest.architecture).map(({ side, level }) => `${side}.${level}`);
}
