// Types of the few WebAssembly functions that are used here. TypeScript has them only together with all types of browsers.

/** A compiled module; it can be posted to workers. */
export type WasmModule = object & { readonly __module: never };

export interface WasmMemory {
  /** A new buffer each time the memory has grown. */
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyNames {
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly instantiate: (module: WasmModule, imports: object) => Promise<{ readonly exports: unknown }>;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyNames };
