// The WebGPU engine: the TensorFlow.js network on its WebGPU backend, with Dawn for Node.js. Both packages are optional; users
// install them next to lunet.

import { UserError } from '../../errors.js';
import { type Engine } from '../engine.js';
import { createTfjsEngine } from '../tfjs/index.js';

const PACKAGES = ['@tensorflow/tfjs-backend-webgpu', 'webgpu'] as const;

interface Gpu {
  readonly requestAdapter: () => Promise<{ readonly features: ReadonlySet<string> } | null>;
}

/** Creates the engine. Throws a UserError of kind `engine` if the packages are missing or no adapter is suitable. */
export async function createWebGpuEngine(): Promise<Engine> {
  const [backend, dawn] = PACKAGES;
  let webgpu: { create: (flags: string[]) => Gpu; globals: object };
  try {
    webgpu = (await import(dawn)) as typeof webgpu;
    Object.assign(globalThis, webgpu.globals);
    const gpu = webgpu.create([]);
    Object.defineProperty(globalThis, 'navigator', {
      value: { gpu },
      configurable: true,
    });
    if ((await gpu.requestAdapter()) === null)
      throw new UserError(
        'engine',
        'WebGPU finds no device; is there a Vulkan, Metal or Direct3D 12 driver?',
      );
    await import(backend);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND')
      throw new UserError(
        'engine',
        `the WebGPU engine needs two more packages; run: npm install --no-save ${PACKAGES.join(' ')}`,
      );
    throw new UserError('engine', `WebGPU does not work here: ${(error as Error).message}`);
  }
  return createTfjsEngine('webgpu');
}
