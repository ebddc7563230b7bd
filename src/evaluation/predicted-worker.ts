// A worker thread that measures predictions, one at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { type Comparing } from './label-maps.js';
import { type MeasuredCase, type Predicted, measureOutputs } from './predicted.js';

if (parentPort === null) throw new Error('predicted-worker.js runs in a worker thread only');
const port = parentPort;
const how = workerData as Comparing;

port.on('message', (predicted: Predicted) => {
  port.postMessage({
    id: predicted.id,
    outputs: measureOutputs(predicted, how),
  } satisfies MeasuredCase);
});
