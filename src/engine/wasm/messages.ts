// What the thread that asks and the one that computes a network tell each other.

import { type FlatNetwork } from '../compiled/flat.js';
import { type Instance } from './instance.js';
import { type WasmModule } from './webassembly.js';

/** What a worker starts with. */
export interface Start {
  readonly module: WasmModule;
  readonly network: FlatNetwork;
  /** Not 0 where the call in progress is to end. */
  readonly interrupted: Int32Array<SharedArrayBuffer>;
}

export interface Request {
  readonly name: Exclude<keyof Instance, 'meter'>;
  readonly words: readonly unknown[];
  readonly metered: boolean;
}

/** The answer to a request; the first one says that the network is there. */
export type Reply =
  { readonly value: unknown; readonly figures?: Float64Array | undefined } | { readonly error: Error };
