// Figure 5: the schedule of `widest`, known before any training.

import { configuredArchitecture, prunedModel } from '../../config/models.js';
import { blockWidths, listBlocks } from '../../network/architecture.js';
import { schedule } from '../../pruning/schedule.js';
import { type Line, lineLayers } from './lines.js';
import { withLegend } from './legend.js';
import { lookAt } from './looks.js';
import { type Chart } from './style.js';

const WIDTH = 620;

export const widestSchedule: Chart = {
  name: 'widest-schedule',
  title: 'Channels per block in the schedule of the strategy "widest" (known before any training)',
  ofConfig: true,
  spec: ({ config }) => {
    const start = configuredArchitecture(config, prunedModel(config));
    const steps = schedule('widest', start, 1).map(({ architecture }) => architecture);
    const lines = listBlocks(start).map((place, i): Line => ({
      name: `${place.side}.${place.level}`,
      look: lookAt(i % 7, Math.floor(i / 7)),
      points: steps.map((architecture, step) => ({
        x: step,
        y: blockWidths(architecture, place).reduce((sum, width) => sum + width, 0),
      })),
    }));
    const x = { type: 'quantitative', title: 'Channels removed' };
    const y = { title: 'Channels of the block', scale: { type: 'symlog' } };
    return withLegend({ width: WIDTH, height: 320, layer: lineLayers(lines, { x, y, step: true }) }, lines, {
      width: WIDTH,
      as: 'lines',
    });
  },
};
