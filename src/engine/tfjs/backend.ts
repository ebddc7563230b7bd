// TensorFlow.js set up for the network: its backend and silence.

import * as tf from '@tensorflow/tfjs-core';

let ready: Promise<void> | undefined;

/** Makes the JavaScript backend current; safe to call again. */
export function useCpuBackend(): Promise<void> {
  ready ??= (async () => {
    tf.env().set('IS_TEST', true); // without this the backend advertises tfjs-node on the console
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
  })();
  return ready;
}
