// Every chart of the report, in its order.

import { channelsPerBlock } from './channels-per-block.js';
import { channelsPerLayer } from './channels-per-layer.js';
import { diceOverChannels } from './dice-over-channels.js';
import { diceOverParameters } from './dice-over-parameters.js';
import { methods } from './methods.js';
import { scoreHistogram } from './score-histogram.js';
import { type Chart } from './style.js';
import { trainingCurves } from './training-curves.js';
import { widestSchedule } from './widest-schedule.js';

export const charts: readonly Chart[] = [
  diceOverChannels,
  channelsPerLayer,
  channelsPerBlock,
  scoreHistogram,
  widestSchedule,
  methods,
  diceOverParameters,
  trainingCurves,
];
