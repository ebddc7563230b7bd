// The layout of paired folders: images/CASE.nii.gz (or CASE_0000.nii.gz, CASE_0001.nii.gz for channels),
// labels/CASE.nii.gz.

import { join } from 'node:path';
import { type Layout } from './layout.js';
import { pairUp, raise } from './pairing.js';
import { caseId, listVolumes, locate, realRoot } from './paths.js';

export const folders: Layout = async (folder, options) => {
  const root = await realRoot(folder);
  const warnings: string[] = [];
  const labels = (await listVolumes(root, 'labels', options, warnings)).map((name) => ({
    id: caseId(name),
    file: join('labels', name),
    key: root,
  }));
  const ids = new Set(labels.map(({ id }) => id));
  const images = (await listVolumes(root, 'images', options, warnings)).map((name) => {
    const id = caseId(name);
    // A suffix is the number of a channel unless the whole name is a case.
    const parts = ids.has(id) ? null : /^(.+)_(00\d\d)$/.exec(id);
    return {
      id: parts?.[1] ?? id,
      channel: Number(parts?.[2] ?? 0),
      file: join('images', name),
      key: root,
    };
  });
  const [image, label] = [await locate(root, images, options), await locate(root, labels, options)];
  raise([...image.problems, ...label.problems], options);
  const faulty = new Set([...image.faulty, ...label.faulty]);
  return { ...pairUp(root, image.files, label.files, options, faulty), warnings };
};
