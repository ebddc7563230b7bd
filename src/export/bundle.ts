// A model as a folder like a MONAI bundle: configs/metadata.json describes inputs and outputs of the network.
// https://docs.monai.io/en/stable/mb_specification.html

import { join } from 'node:path';
import { isFitted } from '../data/normalise.js';
import { type Model, type ModelDescription } from '../model/model.js';
import { packageVersion } from '../version.js';
import { preprocessingSteps, sizeMultiple, summariseModel } from './describe.js';
import { type ExportFormat } from './format.js';
import { modelFile } from './model-file.js';
import { onnxFile } from './onnx/index.js';

const SCHEMA =
  'https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json';
/** The first ONNX Runtime that has operator set 17. */
const ONNX_RUNTIME = '1.12.0';
/** The value for fields that do not apply, as in MONAI. */
const NONE = 'n/a';

export const bundle: ExportFormat = {
  name: 'bundle',
  target: 'folder',
  description: "folder in the manner of MONAI's bundles: metadata.json, the ONNX file and the model file",
  files({ weights, ...description }, folder, { half }) {
    const model: Model = { ...description, weights };
    return [
      { path: join(folder, 'models/model.onnx'), content: onnxFile(model, half ? 'float16' : 'float32') },
      { path: join(folder, 'models/model.safetensors'), content: modelFile(model) },
      { path: join(folder, 'docs/README.md'), content: readme(description) },
      // Last, so that an interrupted export is not a valid bundle.
      {
        path: join(folder, 'configs/metadata.json'),
        content: `${JSON.stringify(bundleMetadata(description), null, 2)}\n`,
      },
    ];
  },
};

/** metadata.json in the MONAI schema of July 2024, with the description of the model under `lunet`. */
function bundleMetadata(model: ModelDescription): object {
  const { architecture, channels, outputs, preprocessing, run, licence } = model;
  const multiple = sizeMultiple(model);
  const names = outputs.map(({ name }) => name);
  const spatial = { spatial_shape: ['d', 'h', 'w'].map((axis) => `${multiple}*${axis}`), dtype: 'float32' };
  return {
    schema: SCHEMA,
    version: `${packageVersion()}+${run.key.slice(0, 12)}`,
    changelog: {},
    monai_version: NONE,
    pytorch_version: NONE,
    numpy_version: NONE,
    required_packages_version: { onnxruntime: ONNX_RUNTIME },
    name: model.name,
    task: `Segmentation of ${names.join(', ')}`,
    description: summariseModel(model),
    authors: NONE,
    copyright: NONE,
    ...(licence !== undefined && { data_licence: licence }),
    intended_use: 'Research. Not for diagnosis.',
    image_classes: preprocessingSteps(model).join(' '),
    pred_classes: `a channel for each of ${names.join(', ')}: its probability in each voxel`,
    network_data_format: {
      inputs: {
        image: {
          type: 'image',
          format: 'magnitude',
          modality: channels.join(', '),
          num_channels: architecture.inputChannels,
          ...spatial,
          value_range: valueRange(preprocessing),
          is_patch_data: true,
          channel_def: byIndex(channels),
        },
      },
      outputs: {
        probabilities: {
          type: 'probabilities',
          format: 'classes',
          modality: NONE,
          num_channels: architecture.labels,
          ...spatial,
          value_range: [0, 1],
          is_patch_data: true,
          channel_def: byIndex(names),
        },
      },
    },
    lunet: model,
  };
}

/** The range of what the network takes, where normalising gives it one. */
function valueRange({ normalisation }: ModelDescription['preprocessing']): number[] {
  const all = [normalisation].flat();
  return all.every((how) => typeof how === 'object' && !isFitted(how)) ? [0, 1] : [];
}

const byIndex = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, i) => [String(i), name]));

function readme(model: ModelDescription): string {
  const multiple = sizeMultiple(model);
  const outputs = model.outputs.map(({ name, values }) => `- ${name}: label ${values.join(', ')}`);
  return `# ${model.name}

${summariseModel(model)} For research, not for diagnosis.

- \`models/model.safetensors\` is for lunet: \`lunet predict models/model.safetensors -i scan.nii.gz -o segmentation.nii.gz\`
- \`models/model.onnx\` is for ONNX Runtime ${ONNX_RUNTIME} or later: \`image\` (N, ${model.architecture.inputChannels}, D, H, W) in, \`probabilities\` (N, ${model.architecture.labels}, D, H, W) out,
  float32. D, H, W are z, y, x of a NIfTI file, and multiples of ${multiple}.
- \`configs/metadata.json\` says the same for programs, and all else that is known of the model (\`lunet\`).

## Before the network

${preprocessingSteps(model)
  .map((step, i) => `${i + 1}. ${step}`)
  .join('\n')}

## Behind it

A voxel belongs to an output where its probability is above 0.5:

${outputs.join('\n')}
`;
}
