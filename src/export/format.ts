// What every kind of export has in common.

import { type Model } from '../model/model.js';

/** A file of an export. */
export interface ExportFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

export interface ExportOptions {
  /** Whether ONNX files hold their filters in half precision. */
  readonly half: boolean;
}

/** Something that a model can be exported as. */
export interface ExportFormat {
  /** Its option is `--NAME`. */
  readonly name: string;
  /** Whether it is one file, or a folder of several. */
  readonly target: 'file' | 'folder';
  /** For the help, after the option. */
  readonly description: string;
  /**
   * The files that a model becomes at a path, in the order in which they are to be written. Throws a UserError where the model
   * cannot be exported like this.
   */
  readonly files: (
    model: Model,
    path: string,
    options: ExportOptions,
  ) => readonly ExportFile[] | Promise<readonly ExportFile[]>;
}
