// The few names of WebAssembly that are used here. TypeScript knows them only with all of a browser's.

/** A compiled module; it can be posted to workers. */
export type WasmModule = object & { readonly __module: never };

export interface WasmMemory {
  /** Another one whenever the memory has grown. */
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyNames {
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly instantiate: (module: WasmModule, imports: object) => Promise<{ readonly exports: unknown }>;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyNames };
