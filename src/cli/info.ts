// `lunet info`: the networks of an experiment, layer by layer.

import { Command } from 'commander';
import { loadExperiment } from '../config/load.js';
import { modelArchitecture, modelName } from '../config/models.js';
import { type Architecture } from '../network/architecture.js';
import { activationBytes, countMultiplyAdds, listOperations } from '../network/cost.js';
import { countParameters } from '../network/parameters.js';
import { addExamples } from './help.js';
import { configArgument, jsonOption, setOption } from './options.js';
import { type Column, formatTable, note, paint, print, printJson } from './terminal.js';

interface Options {
  readonly set: string[];
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('info')
    .description(
      'Shows the networks of an experiment: channels, parameters, multiply-adds and activation memory of every layer, ' +
        'for one case of the configured size.',
    )
    .addArgument(configArgument())
    .addOption(setOption())
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const { config, source } = loadExperiment(path, options.set);
      const { size } = config.preprocessing;
      const { channels, labels } = config.dataset;
      const models = config.models.map((model) => ({
        model: modelName(model),
        ...measure(modelArchitecture(model, channels?.length ?? 1, Object.keys(labels).length), size),
      }));
      if (options.json) return printJson({ source, size, models });
      print(models.map((model) => describeModel(model, size)).join('\n\n'));
      if (channels === undefined) note('\nCounted for one input channel: dataset.channels is not set.');
    }),
  [
    ['the networks of ./lunet.yaml, or of the shipped default', 'lunet info'],
    ['what a wider network would cost', 'lunet info configs/hippocampus.yaml --set models.0.n=8'],
  ],
);

type Measured = ReturnType<typeof measure>;

function measure(architecture: Architecture, [x, y, z]: readonly [number, number, number]) {
  const voxels = x * y * z;
  return {
    parameters: countParameters(architecture),
    multiplyAdds: countMultiplyAdds(architecture, voxels),
    activationBytes: activationBytes(architecture, voxels),
    architecture,
    layers: listOperations(architecture, voxels),
  };
}

const COLUMNS: readonly Column[] = [
  { title: 'Layer' },
  { title: 'Voxels', align: 'right' },
  { title: 'Channels', align: 'right' },
  { title: 'Parameters', align: 'right' },
  { title: 'Multiply-adds', align: 'right' },
  { title: 'Activations', align: 'right' },
];

function describeModel(measured: Measured & { model: string }, size: readonly number[]): string {
  const rows = measured.layers.map((layer) => [
    layer.name,
    size.map((length) => length / 2 ** layer.level).join('x'),
    `${layer.inputs} -> ${layer.outputs}`,
    layer.parameters.toLocaleString('en'),
    millions(layer.multiplyAdds),
    // The head's output is used at once, never stored.
    layer.kind === 'head' ? '' : megabytes(4 * layer.activations),
  ]);
  const total = [
    'total',
    '',
    '',
    measured.parameters.toLocaleString('en'),
    millions(measured.multiplyAdds),
    megabytes(measured.activationBytes),
  ];
  return `${paint('bold', measured.model)}\n${formatTable(COLUMNS, [...rows, total])}`;
}

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
