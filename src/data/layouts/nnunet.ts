// nnU-Net's raw data: imagesTr/CASE_0000.nii.gz (one file a channel), labelsTr/CASE.nii.gz, dataset.json version 2.

import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { channelNames, checkCount, labelNames, readDatasetJson } from './dataset-json.js';
import { type Layout } from './index.js';
import { pairUp, throwAll } from './pairing.js';
import { caseId, insideRoot, listVolumes, realRoot } from './paths.js';

export const nnunet: Layout = async (folder) => {
  const root = await realRoot(folder);
  const file = await readDatasetJson(root);
  const { source, json } = file;
  const ending = json['file_ending'] ?? '.nii.gz';
  if (typeof ending !== 'string' || !/^\.(nii|nii\.gz)$/i.test(ending))
    throw new UserError(
      'data',
      `${source}: file_ending: found ${JSON.stringify(ending)}, expected .nii.gz or .nii`,
    );
  const warnings: string[] = [];
  const problems: string[] = [];
  const channels = channelNames(file, 'channel_names', problems);
  const names = labelNames(file, problems);
  const list = async (part: string): Promise<string[]> => {
    const volumes = await listVolumes(join(root, part), warnings);
    for (const name of volumes)
      if (!name.endsWith(ending)) problems.push(`file_ending: found ${part}/${name}, expected ${ending}`);
    return volumes;
  };
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
    const path = await insideRoot(root, join('imagesTr', name), source);
    images.push({ id: parts[1] as string, channel, file: path });
  }
  const labels = [];
  for (const name of await list('labelsTr'))
    labels.push({ id: caseId(name), file: await insideRoot(root, join('labelsTr', name), source) });
  // Missing files are the better message, so pairing comes before the count.
  throwAll(problems.map((problem) => `${source}: ${problem}`));
  const cases = pairUp(root, images, labels);
  throwAll(checkCount(file, cases.length, 'imagesTr').map((problem) => `${source}: ${problem}`));
  return {
    cases,
    ...(channels && { channels: { names: channels, key: `${source}: channel_names` } }),
    ...(names && { labels: { names, key: `${source}: labels` } }),
    warnings,
  };
};
