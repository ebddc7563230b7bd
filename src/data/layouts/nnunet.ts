// The layout of nnU-Net raw data: imagesTr/CASE_0000.nii.gz (one file per channel), labelsTr/CASE.nii.gz, dataset.json
// version 2.

import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { channelNames, checkCount, labelNames, readDatasetJson } from './dataset-json.js';
import { type Layout } from './layout.js';
import { pairUp, raise } from './pairing.js';
import { caseId, listVolumes, locate, realRoot } from './paths.js';

export const nnunet: Layout = async (folder, options) => {
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
  const faulty = new Set<string>();
  const complain = (id: string, problem: string): void => {
    if (!(options.wanted?.has(id) ?? true)) return;
    problems.push(problem);
    faulty.add(id);
  };
  const list = async (part: string): Promise<{ name: string; file: string; key: string }[]> => {
    const volumes = await listVolumes(root, part, options, warnings);
    return volumes.map((name) => ({ name, file: join(part, name), key: root }));
  };
  const images = [];
  for (const entry of await list('imagesTr')) {
    const parts = /^(.+)_(\d{4})$/.exec(caseId(entry.name));
    if (parts === null) {
      complain(caseId(entry.name), `${entry.file}: expected a channel number, such as CASE_0000${ending}`);
      continue;
    }
    const [id, channel] = [parts[1] as string, Number(parts[2])];
    if (!entry.name.endsWith(ending)) complain(id, `file_ending: found ${entry.file}, expected ${ending}`);
    if (channels && channel >= channels.length)
      complain(id, `${entry.file}: found channel ${channel}, but channel_names has ${channels.length}`);
    images.push({ ...entry, id, channel });
  }
  const labels = (await list('labelsTr')).map((entry) => ({ ...entry, id: caseId(entry.name) }));
  for (const { id, name, file: path } of labels)
    if (!name.endsWith(ending)) complain(id, `file_ending: found ${path}, expected ${ending}`);
  const [image, label] = [await locate(root, images, options), await locate(root, labels, options)];
  // A message about missing files is more useful than one about the count, so pairing comes first.
  raise(
    [...problems.map((problem) => `${source}: ${problem}`), ...image.problems, ...label.problems],
    options,
  );
  for (const id of [...image.faulty, ...label.faulty]) faulty.add(id);
  const { ids, cases } = pairUp(root, image.files, label.files, options, faulty);
  raise(
    checkCount(file, ids.length, 'imagesTr', options).map((problem) => `${source}: ${problem}`),
    options,
  );
  return {
    ids,
    cases,
    ...(channels && { channels: { names: channels, key: `${source}: channel_names` } }),
    ...(names && { labels: { names, key: `${source}: labels` } }),
    warnings,
  };
};
