// The Medical Segmentation Decathlon: dataset.json lists pairs of image and label; several channels are the fourth
// axis of one file.

import { type Layout } from './index.js';
import { caseId, insideRoot, pairUp, readDatasetJson, throwAll } from './pairing.js';

export const decathlon: Layout = async (root) => {
  const { source, json } = await readDatasetJson(root);
  const problems: string[] = [];
  const training: unknown[] = Array.isArray(json['training']) ? json['training'] : [];
  if (!Array.isArray(json['training'])) problems.push('training: missing, expected a list of {image, label}');
  const { numTraining } = json;
  if (typeof numTraining === 'number' && numTraining !== training.length)
    problems.push(`numTraining: found ${numTraining}, but training lists ${training.length} cases`);
  const images: { id: string; channel: number; file: string }[] = [];
  const labels: { id: string; file: string }[] = [];
  for (const [index, item] of training.entries()) {
    const { image, label } = (item ?? {}) as { image?: unknown; label?: unknown };
    if (typeof image !== 'string' || typeof label !== 'string') {
      problems.push(`training[${index}]: expected the file names image and label`);
      continue;
    }
    const id = caseId(image.split('/').at(-1) ?? image);
    try {
      images.push({ id, channel: 0, file: await insideRoot(root, image, `training[${index}].image`) });
    } catch (error) {
      problems.push((error as Error).message);
    }
    try {
      labels.push({ id, file: await insideRoot(root, label, `training[${index}].label`) });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throwAll(source, problems);
  const modality = json['modality'];
  const channels =
    typeof modality === 'object' && modality !== null ? Object.values(modality).map(String) : undefined;
  return { cases: pairUp(source, images, labels), ...(channels && { channels }), warnings: [] };
};
