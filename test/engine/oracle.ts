// The oracle of the tests: TensorFlow.js in JavaScript, which nobody computes with.

import '@tensorflow/tfjs-backend-cpu';
import { createTfjsEngine } from '../../src/engine/tfjs/index.js';

export const oracle = await createTfjsEngine('cpu');
