// The TensorFlow.js engine on any of its backends: networks whose calls are in calls.ts, with the passes of forward.ts and
// backward.ts. A step does not wait for the device: it reads the loss after it has sent all operations.

import { initialOptimizerState, type OptimizerState, type Weights } from '../../network/weights.js';
import { type Engine, type EngineDescription, type Network, type NetworkSettings } from '../engine.js';
import { freeMemory } from '../../memory.js';
import { type OpenedTensorFlow } from '../tensorflow/open.js';
import { type BackendName, useBackend } from './backend.js';
import {
  type LoadedNetwork,
  activationSums,
  evaluate,
  gradients,
  predict,
  synflowGradients,
  trainStep,
} from './calls.js';
import { type SampleStore, createSampleStore } from './layouts.js';
import { type Operations, composed } from './operations.js';
import { tfjsEstimator, tooLarge } from './memory.js';
import { createParameters } from './parameters.js';

/** Limit for samples that are kept on the device. */
const STORE_BYTES = 2 ** 30;

/** Creates the engine on a backend of TensorFlow.js. `opened` is needed for the backend `tensorflow`. */
export async function createTfjsEngine(
  backend: BackendName,
  opened?: OpenedTensorFlow,
  threads = 1,
): Promise<Engine> {
  await useBackend(backend, opened);
  const operations = opened ? (await import('../tensorflow/fused.js')).fused : composed;
  const devices: Record<BackendName, string> = {
    cpu: 'JavaScript',
    tensorflow: `TensorFlow ${opened?.version} on ${opened?.device}`,
    webgpu: 'WebGPU',
  };
  const description: EngineDescription = { name: backend, device: devices[backend], threads };
  const store = createSampleStore(STORE_BYTES);
  return {
    description,
    ...tfjsEstimator,
    release: () => store.clear(),
    ...(opened && { meter: opened.meter }),
    load: async (settings, weights, optimizer) => {
      await useBackend(backend, opened);
      const needed = tfjsEstimator.estimateMemory(settings);
      // The free memory of a GPU is unknown; the step handles running out of it.
      if (opened?.device !== 'gpu' && backend !== 'webgpu' && needed > freeMemory())
        throw tooLarge(settings, freeMemory());
      return loadNetwork(
        backend,
        operations,
        store,
        settings,
        weights,
        optimizer ?? initialOptimizerState(settings.architecture),
      );
    },
  };
}

function loadNetwork(
  backend: BackendName,
  operations: Operations,
  store: SampleStore,
  settings: NetworkSettings,
  weights: Weights,
  optimizer: OptimizerState,
): Network {
  const parameters = createParameters(settings, weights, optimizer);
  const network: LoadedNetwork = { settings, operations, store, parameters };
  let disposed = false;

  const call = async <T>(compute: () => Promise<T> | T): Promise<T> => {
    // The computation itself may block, so let timers and signals run first.
    await new Promise((resolve) => setImmediate(resolve));
    if (disposed) throw new Error('the network has been disposed');
    await useBackend(backend);
    try {
      return await compute();
    } catch (error) {
      if (/OOM|out of memory|RESOURCE_EXHAUSTED|failed to allocate/i.test((error as Error).message))
        throw tooLarge(settings, undefined);
      throw error;
    }
  };
  return {
    trainStep: (batch, masks, learningRate) => call(() => trainStep(network, batch, masks, learningRate)),
    evaluate: (batch) => call(() => evaluate(network, batch)),
    predict: (volumes, statistics) => call(() => predict(network, volumes, statistics)),
    activationSums: (batch, mode, withGradients) =>
      call(() => activationSums(network, batch, mode, withGradients)),
    gradients: (batch, mode) => call(() => gradients(network, batch, mode)),
    synflowGradients: () => call(() => synflowGradients(network)),
    readWeights: () => call(() => parameters.readWeights()),
    readOptimizerState: () => call(() => parameters.readOptimizerState()),
    interrupt: () => undefined, // a call blocks the thread, so none is running when this is reached
    dispose: () => {
      if (disposed) return;
      disposed = true;
      parameters.dispose();
    },
  };
}
