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
  })
  .prefault({});
