// `lunet info`: the networks of an experiment, or of a weights file, layer by layer.

import { Command, InvalidArgumentError, Option } from 'commander';
import { configuredArchitecture, modelName } from '../../config/models.js';
import { UserError } from '../../errors.js';
import { type Architecture } from '../../network/architecture.js';
import { activationBytes, countMultiplyAdds, listOperations } from '../../network/cost.js';
import { countParameters } from '../../network/parameters.js';
import { readNetwork } from '../../runs/network-file.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { jsonOption, parseCount, setOption } from '../options.js';
import { note, paint, print, printJson } from '../terminal/output.js';
import { type Column, formatTable } from '../terminal/table.js';

interface Options {
  readonly set: string[];
  readonly size?: Size;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('info')
    .description(
      'Shows channels, parameters, multiply-adds and activation memory of every layer, for one case: of the networks ' +
        'of an experiment, or of the one in a weights file.',
    )
    .argument(
      '[file]',
      'experiment (YAML) or network (.safetensors); default: ./lunet.yaml or ./lunet.yml, else the shipped one',
    )
    .addOption(setOption())
    .addOption(
      new Option(
        '--size <x,y,z>',
        'voxels of a case; default: as the experiment says, 64,64,64 for a weights file',
      ).argParser(parseSize),
    )
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const { source, size, models, remark } = path?.endsWith('.safetensors')
        ? ofWeights(path, options)
        : ofExperiment(path, options);
      const divisor = Math.max(...models.map(({ architecture }) => 2 ** (architecture.encoder.length - 1)));
      if (size.some((length) => length % divisor !== 0))
        throw new UserError('usage', `--size: found ${size.join(',')}, expected multiples of ${divisor}`);
      const measured = models.map(({ model, architecture }) => ({ model, ...measure(architecture, size) }));
      if (options.json) return printJson({ source, size, models: measured });
      print(measured.map((model) => describeModel(model, size)).join('\n\n'));
      note(`\n${remark}`);
    }),
  [
    ['the networks of ./lunet.yaml, or of the shipped default', 'lunet info'],
    ['what a wider network would cost', 'lunet info hippocampus --set models.0.n=8'],
    ['a trained network', 'lunet info runs/default/train/lunet-n4/seed-1/weights.safetensors'],
  ],
);

type Size = readonly [x: number, y: number, z: number];

interface Subject {
  readonly source: string;
  readonly size: Size;
  readonly models: readonly { readonly model: string; readonly architecture: Architecture }[];
  readonly remark: string;
}

function ofExperiment(path: string | undefined, { set, size }: Options): Subject {
  const { config, source } = openExperiment(path, set);
  const models = config.models.map((model) => ({
    model: modelName(model),
    architecture: configuredArchitecture(config, model),
  }));
  const remark = config.dataset.channels
    ? 'Counted'
    : 'Counted for one input channel, as dataset.channels is not set,';
  return {
    source,
    size: size ?? config.preprocessing.size,
    models,
    remark: `${remark} per case of ${(size ?? config.preprocessing.size).join('x')} voxels.`,
  };
}

function ofWeights(path: string, { set, size = [64, 64, 64] }: Options): Subject {
  if (set.length > 0) throw new UserError('usage', '--set: changes experiments, found a weights file');
  const { architecture, labels } = readNetwork(path);
  return {
    source: path,
    size,
    models: [{ model: path, architecture }],
    remark: `Outputs: ${labels.join(', ')}. Counted per case of ${size.join('x')} voxels (--size).`,
  };
}

function parseSize(text: string): Size {
  const size = text.split(',').map((part) => parseCount(part, 2048));
  if (size.length !== 3) throw new InvalidArgumentError('expected three numbers such as 64,64,64');
  return size as [number, number, number];
}

type Measured = ReturnType<typeof measure>;

function measure(architecture: Architecture, [x, y, z]: Size) {
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
