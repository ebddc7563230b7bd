// One case into a file of the store.

import { dirname } from 'node:path';
import { type Experiment } from '../../config/schema.js';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { type CaseSource, prepareCase, sampleOf } from '../case.js';
import { labelIndices, labelTargets } from '../labels.js';
import { writeCaseFile } from './case-file.js';
import { foregroundPositions } from './foreground.js';

/** Prepares a case and writes it to a file. Throws as `prepareCase` does, or a UserError of kind `disk`. */
export async function storeCase(
  source: CaseSource,
  file: string,
  config: Experiment,
  share?: number,
): Promise<void> {
  const prepared = await prepareCase(source, config, share);
  const { labels } = config.dataset;
  const { label } = sampleOf(prepared);
  const targets = labelTargets(labels, labelIndices(config.dataset));
  const foreground = foregroundPositions(label, targets, Object.keys(labels).length);
  await writeCaseFile(file, prepared, foreground).catch((error) => refused(dirname(file), error));
}

/** Throws an error of the file system as a UserError of kind `disk`. */
export function refused(folder: string, error: unknown): never {
  throw new UserError(
    'disk',
    `${folder}: prepared cases cannot be stored: ${fsReason(error)} (another folder: LUNET_CACHE=DIR; LUNET_CACHE=off takes ` +
      'a temporary one in TMPDIR)',
    { cause: error },
  );
}
