// The Medical Segmentation Decathlon: dataset.json lists pairs of image and label; several channels are the fourth
// axis of one file.

import { UserError } from '../../errors.js';
import { channelNames, checkCount, labelNames, readDatasetJson } from './dataset-json.js';
import { type Layout } from './index.js';
import { pairUp, throwAll } from './pairing.js';
import { caseId, insideRoot, isHidden, listVolumes, realRoot, skippedHidden } from './paths.js';

export const decathlon: Layout = async (folder) => {
  const root = await realRoot(folder);
  const file = await readDatasetJson(root);
  const { source, json } = file;
  const problems: string[] = [];
  const warnings: string[] = [];
  const training: unknown[] = Array.isArray(json['training']) ? json['training'] : [];
  if (Array.isArray(json['training'])) problems.push(...checkCount(file, training.length, 'training'));
  else problems.push('training: missing, expected a list of {image, label}');
  const images: { id: string; channel: number; file: string }[] = [];
  const labels: { id: string; file: string }[] = [];
  const hidden: string[] = [];
  await Promise.all(
    training.map(async (item, index) => {
      const { image, label } = (item ?? {}) as { image?: unknown; label?: unknown };
      if (typeof image !== 'string' || typeof label !== 'string') {
        problems.push(
          `training[${index}]: found ${JSON.stringify(item)}, expected the file names image and label`,
        );
      } else if (isHidden(image)) {
        hidden.push(image);
      } else {
        const id = caseId(image);
        const find = async (path: string, key: string): Promise<string> => {
          try {
            return await insideRoot(root, path, `training[${index}].${key}`);
          } catch (error) {
            if (error instanceof UserError) problems.push(error.message);
            else throw error;
            return path;
          }
        };
        images[index] = { id, channel: 0, file: await find(image, 'image') };
        labels[index] = { id, file: await find(label, 'label') };
      }
    }),
  );
  const channels = channelNames(file, 'modality', problems);
  const names = labelNames(file, problems);
  throwAll(problems.map((problem) => `${source}: ${problem}`));
  if (hidden.length > 0) warnings.push(skippedHidden(source, hidden));
  warnings.push(...(await unlisted(root, new Set(images.map(({ id }) => id)))));
  return {
    // Entries that were skipped left holes.
    cases: pairUp(source, images.flat(), labels.flat()),
    ...(channels && { channels: { names: channels, key: `${source}: modality` } }),
    ...(names && { labels: { names, key: `${source}: labels` } }),
    warnings,
  };
};

/** Warns of images that lie in imagesTr but are not in the list: they may have been forgotten. */
async function unlisted(root: string, listed: ReadonlySet<string>): Promise<string[]> {
  const folder = `${root}/imagesTr`;
  const names = await listVolumes(folder, []).catch(() => []);
  const forgotten = names.filter((name) => !listed.has(caseId(name)));
  return forgotten.length > 0
    ? [`${folder}: ${forgotten.length} volumes are not in dataset.json, such as ${forgotten[0]}`]
    : [];
}
