// Figure 3: channels of each block at the snapshots, median over seeds.

import { blockWidths, listBlocks } from '../../network/architecture.js';
import { type Chart, familyOf, scales } from './style.js';

export const channelsPerBlock: Chart = {
  name: 'channels-per-block',
  title: 'Channels per block at the snapshots (median over seeds)',
  spec: (results) => {
    const values = results.records.flatMap(({ kind, method, pruning }) =>
      Object.entries(pruning?.snapshots ?? {}).flatMap(([percent, { architecture }]) =>
        listBlocks(architecture).map((place) => ({
          family: familyOf(kind, method),
          snapshot: `${percent} %`,
          block: `${place.side}.${place.level}`,
          channels: blockWidths(architecture, place).reduce((sum, width) => sum + width, 0),
        })),
      ),
    );
    const first = results.records.find(({ kind }) => kind === 'prune')?.architecture;
    if (values.length === 0 || first === undefined) return undefined;
    const order = listBlocks(first).map(({ side, level }) => `${side}.${level}`);
    const { color, shape } = scales(results);
    return {
      data: { values },
      facet: { field: 'snapshot', title: null, sort: ['75 %', '50 %', '25 %'], columns: 3 },
      spec: {
        width: 240,
        height: 240,
        mark: { type: 'line', point: { size: 60 } },
        encoding: {
          x: { field: 'block', type: 'nominal', sort: order, title: null, axis: { labelAngle: -60 } },
          y: { aggregate: 'median', field: 'channels', type: 'quantitative', title: 'Channels' },
          color,
          shape,
        },
      },
    };
  },
};
