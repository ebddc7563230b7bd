// Plain paired folders: images/CASE.nii.gz (or CASE_0000.nii.gz, CASE_0001.nii.gz for channels), labels/CASE.nii.gz.

import { join } from 'node:path';
import { type Layout } from './index.js';
import { caseId, insideRoot, listVolumes, pairUp } from './pairing.js';

export const folders: Layout = async (root) => {
  const warnings: string[] = [];
  const labels = [];
  for (const name of await listVolumes(join(root, 'labels'), warnings))
    labels.push({ id: caseId(name), file: await insideRoot(root, join('labels', name), root) });
  const ids = new Set(labels.map(({ id }) => id));
  const images = [];
  for (const name of await listVolumes(join(root, 'images'), warnings)) {
    const id = caseId(name);
    // A suffix is a channel's number unless the whole name is a case.
    const parts = ids.has(id) ? null : /^(.+)_(\d{4})$/.exec(id);
    const file = await insideRoot(root, join('images', name), root);
    images.push({ id: parts?.[1] ?? id, channel: Number(parts?.[2] ?? 0), file });
  }
  return { cases: pairUp(root, images, labels), warnings };
};
