// Figure 5: the schedule that `widest` prescribes, known before any training.

import { modelArchitecture, prunedModel } from '../../config/models.js';
import { blockWidths, listBlocks } from '../../network/architecture.js';
import { schedule } from '../../pruning/schedule.js';
import { type Chart, HOVER_POINT } from './style.js';

export const widestSchedule: Chart = {
  name: 'widest-schedule',
  title: 'The prescribed schedule of the widest block: channels per block',
  spec: ({ config }) => {
    const inputs = config.dataset.channels?.length ?? 1;
    const start = modelArchitecture(prunedModel(config), inputs, Object.keys(config.dataset.labels).length);
    const order = listBlocks(start).map(({ side, level }) => `${side}.${level}`);
    const values = schedule('widest', start, 1).flatMap(({ architecture }, step) =>
      listBlocks(architecture).map((place) => ({
        step,
        block: `${place.side}.${place.level}`,
        channels: blockWidths(architecture, place).reduce((sum, width) => sum + width, 0),
      })),
    );
    return {
      data: { values },
      width: 560,
      height: 300,
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, point: HOVER_POINT },
      encoding: {
        x: { field: 'step', type: 'quantitative', title: 'Channels removed' },
        y: {
          field: 'channels',
          type: 'quantitative',
          title: 'Channels of the block',
          scale: { type: 'symlog' },
        },
        color: { field: 'block', type: 'nominal', sort: order, title: 'Block', scale: { scheme: 'viridis' } },
        strokeDash: { field: 'block', type: 'nominal', sort: order, title: 'Block' },
      },
    };
  },
};
