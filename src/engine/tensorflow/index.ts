// The TensorFlow engine: the TensorFlow.js network on the TensorFlow installed by `lunet setup tensorflow`.

import { UserError } from '../../errors.js';
import { type Engine } from '../engine.js';
import { physicalCores } from '../native/cores.js';
import { createTfjsEngine } from '../tfjs/index.js';
import { readInstallation } from './installation.js';
import { openTensorFlow } from './open.js';

/** Throws a UserError of kind `engine` if TensorFlow is not set up or does not load. */
export async function createTensorFlowEngine({
  threads = physicalCores(),
}: {
  readonly threads?: number | undefined;
} = {}): Promise<Engine> {
  const installation = readInstallation();
  if (installation === undefined)
    throw new UserError('engine', 'TensorFlow is not set up; run: lunet setup tensorflow');
  const verbose = process.argv.includes('--debug');
  return createTfjsEngine('tensorflow', openTensorFlow(installation, { threads, verbose }), threads);
}
