// The messages between the main thread and the worker that computes a network.

import { type FlatNetwork } from '../compiled/flat.js';
import { type Instance } from './instance.js';
import { type WasmModule } from './webassembly.js';

/** The settings of a worker. */
export interface Start {
  readonly module: WasmModule;
  readonly network: FlatNetwork;
  /** Other than 0 if the current call must end. */
  readonly interrupted: Int32Array<SharedArrayBuffer>;
}

export interface Request {
  readonly name: Exclude<keyof Instance, 'meter'>;
  readonly words: readonly unknown[];
  readonly metered: boolean;
}

/** The answer to a request; the first answer says that the network is loaded. */
export type Reply =
  { readonly value: unknown; readonly figures?: Float64Array | undefined } | { readonly error: Error };
