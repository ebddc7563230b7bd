// nnU-Net's raw data: imagesTr/CASE_0000.nii.gz (one file a channel), labelsTr/CASE.nii.gz, dataset.json version 2.

import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { type Layout } from './index.js';
import { caseId, insideRoot, listVolumes, pairUp, readDatasetJson, throwAll } from './pairing.js';

export const nnunet: Layout = async (root) => {
  const { source, json } = await readDatasetJson(root);
  const ending = json['file_ending'] ?? '.nii.gz';
  if (typeof ending !== 'string' || !/^\.(nii|nii\.gz)$/i.test(ending))
    throw new UserError(
      'data',
      `${source}: file_ending: found ${JSON.stringify(ending)}, expected .nii.gz or .nii`,
    );
  const names = json['channel_names'];
  const channels = typeof names === 'object' && names !== null ? Object.values(names).map(String) : undefined;
  const warnings: string[] = [];
  const problems: string[] = [];
  const list = async (folder: string): Promise<string[]> =>
    (await listVolumes(join(root, folder), warnings)).filter((name) => name.endsWith(ending));
  const images = [];
  for (const name of await list('imagesTr')) {
    const parts = /^(.+)_(\d{4})$/.exec(caseId(name));
    if (parts === null) {
      problems.push(`imagesTr/${name}: expected a channel number, such as CASE_0000${ending}`);
      continue;
    }
    const channel = Number(parts[2]);
    if (channels && channel >= channels.length)
      problems.push(`imagesTr/${name}: found channel ${channel}, but channel_names has ${channels.length}`);
    const file = await insideRoot(root, join('imagesTr', name), source);
    images.push({ id: parts[1] as string, channel, file });
  }
  const labels = [];
  for (const name of await list('labelsTr'))
    labels.push({ id: caseId(name), file: await insideRoot(root, join('labelsTr', name), source) });
  const { numTraining } = json;
  if (typeof numTraining === 'number' && numTraining !== labels.length)
    problems.push(`numTraining: found ${numTraining}, but labelsTr holds ${labels.length} cases`);
  throwAll(source, problems);
  return { cases: pairUp(root, images, labels), ...(channels && { channels }), warnings };
};
