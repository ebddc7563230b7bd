// The interface of all export formats.

import { type Model } from '../model/model.js';

/** A file of an export. */
export interface ExportFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

export interface ExportOptions {
  /** Whether ONNX files store the weights of convolutions in half precision. */
  readonly half: boolean;
}

/** A format in which a model can be exported. */
export interface ExportFormat {
  /** The name of its option, `--NAME`. */
  readonly name: string;
  /** Whether it is one file or a folder of several files. */
  readonly target: 'file' | 'folder';
  /** For the help of the option. */
  readonly description: string;
  /**
   * The files of a model for a path, in the order in which they must be written. Throws a UserError if the model cannot be
   * exported in this format.
   */
  readonly files: (
    model: Model,
    path: string,
    options: ExportOptions,
  ) => readonly ExportFile[] | Promise<readonly ExportFile[]>;
}
