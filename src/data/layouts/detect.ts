// Finds out how a dataset is arranged.

import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { readDatasetJson } from './dataset-json.js';
import { type LayoutName } from './index.js';
import { realRoot } from './paths.js';

/**
 * The layout of the dataset in a folder: by its dataset.json, or by its folders if it has none. Throws a UserError of kind
 * `data` if it is none of the known ones.
 */
export async function detectLayout(root: string): Promise<LayoutName> {
  const folder = await realRoot(root);
  const names = (await readdir(folder)).sort();
  if (names.includes('dataset.json')) {
    const { json } = await readDatasetJson(folder);
    const { training } = json;
    if (!Array.isArray(training)) return 'nnunet';
    // The first version of nnU-Net lists names without the numbers of channels, which files have.
    const { image } = (training[0] ?? {}) as { image?: unknown };
    const there = typeof image !== 'string' || (await exists(join(folder, image)));
    return there || !(await exists(join(folder, numbered(image)))) ? 'decathlon' : 'nnunet';
  }
  if (names.includes('images') && names.includes('labels')) return 'folders';
  const found = names.filter((name) => !name.startsWith('.')).slice(0, 5);
  const more = names.length > found.length ? ', ...' : '';
  throw new UserError(
    'data',
    `${root}: found ${found.length > 0 ? found.join(', ') + more : 'nothing'}, expected a dataset.json (Medical Segmentation ` +
      'Decathlon, nnU-Net) with imagesTr/ and labelsTr/, or the folders images/ and labels/',
  );
}

function numbered(image: string): string {
  return image.replace(/(\.nii(\.gz)?)?$/i, '_0000$1');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
