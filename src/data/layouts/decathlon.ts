// The layout of the Medical Segmentation Decathlon: dataset.json lists pairs of image and label; the fourth axis of an image
// file is its channels.

import { channelNames, checkCount, labelNames, readDatasetJson } from './dataset-json.js';
import { type Layout } from './layout.js';
import { pairUp, raise } from './pairing.js';
import { caseId, isHidden, listVolumes, locate, realRoot, skippedHidden, withSlashes } from './paths.js';

export const decathlon: Layout = async (folder, options) => {
  const root = await realRoot(folder);
  const file = await readDatasetJson(root);
  const { source, json } = file;
  const problems: string[] = [];
  const warnings: string[] = [];
  const training: unknown[] = Array.isArray(json['training']) ? json['training'] : [];
  if (Array.isArray(json['training']))
    problems.push(...checkCount(file, training.length, 'training', options));
  else problems.push('training: missing, expected a list of {image, label}');
  const images: { id: string; channel: number; file: string; key: string }[] = [];
  const labels: { id: string; file: string; key: string }[] = [];
  const hidden: string[] = [];
  for (const [index, item] of training.entries()) {
    const key = `training[${index}]`;
    const { image: imagePath, label: labelPath } = (item ?? {}) as { image?: unknown; label?: unknown };
    const image = typeof imagePath === 'string' ? await withSlashes(root, imagePath) : undefined;
    const id = image && caseId(image);
    if (image === undefined || id === undefined || typeof labelPath !== 'string') {
      if (options.wanted?.has(id ?? '') ?? true)
        problems.push(`${key}: found ${JSON.stringify(item)}, expected the file names image and label`);
    } else if (isHidden(image)) hidden.push(image);
    else {
      images.push({ id, channel: 0, file: image, key: `${key}.image` });
      labels.push({ id, file: await withSlashes(root, labelPath), key: `${key}.label` });
    }
  }
  const [image, label] = [await locate(root, images, options), await locate(root, labels, options)];
  problems.push(...image.problems, ...label.problems);
  const channels = channelNames(file, 'modality', problems);
  const names = labelNames(file, problems);
  raise(
    problems.map((problem) => `${source}: ${problem}`),
    options,
  );
  if (hidden.length > 0) warnings.push(skippedHidden(source, hidden));
  const paired = pairUp(
    source,
    image.files,
    label.files,
    options,
    new Set([...image.faulty, ...label.faulty]),
  );
  // If the config lists its cases, none can have been forgotten.
  if (options.wanted === undefined) warnings.push(...(await unlisted(root, new Set(paired.ids))));
  return {
    ...paired,
    ...(channels && { channels: { names: channels, key: `${source}: modality` } }),
    ...(names && { labels: { names, key: `${source}: labels` } }),
    warnings,
  };
};

/** Warns of images in imagesTr that are not in the list: they may have been forgotten. */
async function unlisted(root: string, listed: ReadonlySet<string>): Promise<string[]> {
  const folder = `${root}/imagesTr`;
  // Only lists the names, also behind links; reads no file.
  const names = await listVolumes(root, 'imagesTr', { followLinks: true }, []).catch(() => []);
  const forgotten = names.filter((name) => !listed.has(caseId(name)));
  return forgotten.length > 0
    ? [`${folder}: ${forgotten.length} volumes are not in dataset.json, such as ${forgotten[0]}`]
    : [];
}
