// The models that lunet ships. Commands accept their names in any folder.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../models');
const ENDING = '.safetensors';

/** Their names. */
export function shippedModels(): string[] {
  try {
    return readdirSync(FOLDER)
      .filter((file) => file.endsWith(ENDING))
      .map((file) => file.slice(0, -ENDING.length))
      .sort();
  } catch {
    return [];
  }
}

/** The file of a shipped model. */
export const shippedModelPath = (name: string): string => join(FOLDER, name + ENDING);
