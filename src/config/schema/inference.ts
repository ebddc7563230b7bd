// How networks are run over volumes of any size.

import { z } from 'zod';
import { DEFAULT_INFERENCE, MAX_OVERLAP } from '../inference.js';

export const inference = z
  .strictObject({
    overlap: z
      .number()
      .min(0)
      .max(MAX_OVERLAP)
      .default(DEFAULT_INFERENCE.overlap)
      .describe(
        'Part of a window that neighbouring windows share at least, where a volume is larger than a window',
      ),
    mirror: z
      .array(z.enum(['x', 'y', 'z']))
      .default([...DEFAULT_INFERENCE.mirror])
      .describe(
        'Axes along which cases are mirrored too, and the predictions averaged; each doubles the time of evaluations. Only axes of ' +
          'training.augmentation.mirror',
      ),
  })
  .prefault({});
