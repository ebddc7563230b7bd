// Loads TensorFlow.js. It is no dependency of an installed lunet, since only the engines for GPUs need it: it comes with WebGPU's
// packages, which users install beside lunet, or with the set-up of TensorFlow, which has a folder of its own.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Core from '@tensorflow/tfjs-core';
import { UserError } from '../../errors.js';
import { TFJS_VERSION, installationFolder } from '../tensorflow/installation.js';

const NAME = '@tensorflow/tfjs-core';

/** The package, from the first place that has it. Throws a UserError of kind `engine` if there is none. */
function load(): typeof Core {
  for (const place of [import.meta.url, join(installationFolder(), 'package.json')]) {
    try {
      return createRequire(place)(NAME) as typeof Core;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new UserError(
    'engine',
    `TensorFlow.js (${NAME}) is not installed; for TensorFlow run: lunet setup tensorflow; ` +
      `for WebGPU: npm install --no-save --ignore-scripts webgpu @tensorflow/tfjs-backend-webgpu@${TFJS_VERSION}`,
  );
}

export const core = load();
