// Selects a backend of TensorFlow.js and suppresses its messages.

import { type OpenedTensorFlow } from '../tensorflow/open.js';
import { core } from './core.js';

/** Backends that the network runs on. `cpu`, in JavaScript, is the oracle of the tests, which register it. */
export type BackendName = 'cpu' | 'tensorflow' | 'webgpu';

/** Makes a backend current; safe to call again. `opened` is needed for the backend `tensorflow`. */
export async function useBackend(name: BackendName, opened?: OpenedTensorFlow): Promise<void> {
  core.env().set('IS_TEST', true); // without this the JavaScript backend advertises tfjs-node on the console
  if (opened && core.findBackendFactory(name) === null) core.registerBackend(name, () => opened.backend);
  if (!(await core.setBackend(name))) throw new Error(`TensorFlow.js has no backend ${name}`);
}
