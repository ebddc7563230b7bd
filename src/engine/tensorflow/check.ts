// The self-check of a set-up; setup.ts starts it as a separate process: node check.js FOLDER. Prints the TensorFlow version
// and device as JSON.

import { core } from '../tfjs/core.js';
import { createTfjsEngine } from '../tfjs/index.js';
import { selfCheck } from '../self-check.js';
import { openTensorFlow } from './open.js';
import { paths } from './setup.js';

const folder = process.argv[2] as string;
const opened = openTensorFlow(paths(folder));
const engine = await createTfjsEngine('tensorflow', opened);
const before = core.memory().numTensors;
const problem = await selfCheck(engine);
engine.release?.();
const left = core.memory().numTensors - before;
if (problem !== undefined || left !== 0) {
  console.error(problem ?? `${left} tensors were not released`);
  process.exit(1);
}
console.log(JSON.stringify({ tensorflow: opened.version, device: opened.device }));
