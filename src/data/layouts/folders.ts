// Plain paired folders: images/CASE.nii.gz (or CASE_0000.nii.gz, CASE_0001.nii.gz for channels), labels/CASE.nii.gz.

import { join } from 'node:path';
import { type Layout } from './index.js';
import { pairUp } from './pairing.js';
import { caseId, insideRoot, listVolumes, realRoot } from './paths.js';

export const folders: Layout = async (folder) => {
  const root = await realRoot(folder);
  const warnings: string[] = [];
  const find = (name: string): Promise<string> => insideRoot(root, name, root);
  const labels = [];
  for (const name of await listVolumes(join(root, 'labels'), warnings))
    labels.push({ id: caseId(name), file: await find(join('labels', name)) });
  const ids = new Set(labels.map(({ id }) => id));
  const images = [];
  for (const name of await listVolumes(join(root, 'images'), warnings)) {
    const id = caseId(name);
    // A suffix is a channel's number unless the whole name is a case.
    const parts = ids.has(id) ? null : /^(.+)_(00\d\d)$/.exec(id);
    const file = await find(join('images', name));
    images.push({ id: parts?.[1] ?? id, channel: Number(parts?.[2] ?? 0), file });
  }
  return { cases: pairUp(root, images, labels), warnings };
};
