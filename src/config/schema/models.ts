// The networks to train.

import { z } from 'zod';
import { count, name } from './values.js';

const blockWidths = z.array(z.array(count().max(4096)).min(1).max(10));

const network = {
  levels: count().max(10).default(5).describe('Number of resolutions, including the full one'),
  convs: count().max(10).default(2).describe('3x3x3 convolutions per block'),
  skips: z.boolean().default(true).describe('Skip connections from encoder to decoder'),
};

const familyModel = z.strictObject({
  name: name.optional().describe('Name of its results; default: family, n and scale'),
  family: z
    .enum(['unet', 'lunet'])
    .describe('unet doubles the width at each level, lunet has the same width at all levels'),
  n: count().max(1024).describe('Channels at the top level'),
  ...network,
  scale: z.number().gt(0).max(1).default(1).describe('Factor for all widths'),
});

const explicitModel = z.strictObject({
  name: name.describe('Name of its results'),
  family: z.literal('explicit').describe('Widths given layer by layer'),
  encoder: blockWidths.min(1).max(10).describe('Width of each layer of each encoder block, top level first'),
  decoder: blockWidths.max(9).describe('Width of each layer of each decoder block, top level first'),
  up: z
    .array(count().max(4096))
    .describe('Output channels of the up-convolution to each level, top level first'),
  skips: z.boolean().default(true).describe('Skip connections from encoder to decoder'),
});

export const model = z.discriminatedUnion('family', [familyModel, explicitModel]);
