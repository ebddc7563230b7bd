// Chooses an engine by name.

import { UserError } from '../errors.js';
import { suggestion } from '../config/suggest.js';
import { type Engine } from './engine.js';

/** Names that `--engine` takes. */
const ENGINE_NAMES = ['auto', 'native', 'cpu'] as const;

export interface EngineOptions {
  readonly threads?: number | undefined;
  /** Instruction set of the native engine. */
  readonly isa?: string | undefined;
  /** Told when `auto` falls back to a slower engine. */
  readonly warn?: (message: string) => void;
}

/**
 * The engine of a name; `auto` is native, or TensorFlow.js in JavaScript (with one warning) where native does not load.
 * Throws a UserError for an unknown name, or if the engine asked for does not load.
 */
export async function createEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  switch (name) {
    case 'native':
      return (await import('./native/index.js')).createNativeEngine(options);
    case 'cpu':
      return (await import('./tfjs/index.js')).createTfjsEngine();
    case 'auto':
      try {
        return (await import('./native/index.js')).createNativeEngine(options);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        options.warn?.(
          `${error.message}\nTraining runs on TensorFlow.js in JavaScript instead, which is many times slower. ` +
            'To build the native engine, install a C++17 compiler (Debian, Ubuntu: apt install g++; ' +
            'macOS: xcode-select --install) and run: npm run build',
        );
        return (await import('./tfjs/index.js')).createTfjsEngine();
      }
    default:
      throw new UserError(
        'usage',
        `--engine: found ${name}, expected one of ${ENGINE_NAMES.join(', ')}${suggestion(name, ENGINE_NAMES)}`,
      );
  }
}
