// The engines that are tested: TensorFlow.js in JavaScript as the oracle, the native one on each instruction set of this
// machine, the same as WebAssembly, and those that are optional.

import assert from 'node:assert/strict';
import { UserError } from '../../src/errors.js';
import { type Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { createNativeEngine } from '../../src/engine/native/index.js';
import { loadAddon } from '../../src/engine/native/loader.js';
import { createNodeWasmEngine } from '../../src/engine/wasm/node.js';
import { type EngineCase } from './cases.js';

export { oracle } from './oracle.js';

// A missing native engine is a failure, not a reason to skip tests; set LUNET_WITHOUT_NATIVE=1 if there is no compiler.
export const withNative = process.env['LUNET_WITHOUT_NATIVE'] !== '1';
if (!withNative) console.log('the native engine is not tested: LUNET_WITHOUT_NATIVE=1');
const loaded = loadAddon();
if (withNative) assert.ok(loaded.addon, `the native engine does not load: ${JSON.stringify(loaded)}`);
export const instructionSets = loaded.addon?.instructionSets() ?? [];
export const wasm = await createNodeWasmEngine();
/** The optional engines that are set up; LUNET_TEST_ENGINES lists those that must be, or is `none`. */
export const optional: Engine[] = [];
for (const name of process.env['LUNET_TEST_ENGINES'] === 'none' ? [] : ['tensorflow', 'webgpu'])
  try {
    optional.push(await createEngine(name, { threads: 2 }));
  } catch (error) {
    if (!(error instanceof UserError) || process.env['LUNET_TEST_ENGINES']?.includes(name)) throw error;
    console.log(`skipped: engine ${name}: ${error.message.split('\n')[0]}`);
  }

/**
 * The optional engines for a case. Most machines have only a GPU in software for WebGPU. It takes up to a minute for a case
 * of many voxels, which tests nothing that the small cases do not test.
 */
export function optionalFor({ batch, size: [depth, height, width] }: EngineCase): readonly Engine[] {
  return optional.filter(
    ({ description }) => description.name !== 'webgpu' || batch * depth * height * width <= 2000,
  );
}

/** The native engine on each instruction set. */
export const native: readonly Engine[] = instructionSets.map((isa) =>
  createNativeEngine({ isa, threads: 2 }),
);
