// `lunet info`: shows the networks of an experiment, or a saved model, layer by layer.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { configuredArchitecture, modelName } from '../../config/models.js';
import { windowSize } from '../../config/window.js';
import { UserError } from '../../errors.js';
import { type FittedNormalisation } from '../../data/normalise.js';
import { type Extent } from '../../data/preprocess.js';
import { type Model, type ModelDescription, type Range } from '../../model/model.js';
import { type Architecture } from '../../network/architecture.js';
import { activationBytes, countMultiplyAdds, listOperations } from '../../network/cost.js';
import { countParameters } from '../../network/parameters.js';
import { type SavedNetwork, readNetwork } from '../../runs/network-file.js';
import { isFolder, openModel } from '../../runs/open-model.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { jsonOption, parseCount, setOption } from '../options.js';
import { note, paint, print, printJson } from '../terminal/output.js';
import { type Column, formatTable } from '../terminal/table.js';
import { FILES } from '../../runs/folders.js';

interface Options {
  readonly set: string[];
  readonly size?: Size;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('info')
    .description(
      'Shows channels, parameters, multiply-adds and activation memory of every layer, for one case: for the networks ' +
        'of an experiment, or for a model (its file, or the folder of its run) together with its description.',
    )
    .argument(
      '[file]',
      'experiment (YAML), model (.safetensors) or run (folder); default: ./lunet.yaml or ./lunet.yml, else the shipped one',
    )
    .addOption(setOption())
    .addOption(
      new Option(
        '--size <x,y,z>',
        'voxels of a case; default: the size in the experiment or the model',
      ).argParser(parseSize),
    )
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const saved = path !== undefined && (/\.safetensors$/i.test(path) || isRun(path));
      const { source, size, models, model, remark } = saved
        ? ofNetwork(path, options)
        : ofExperiment(path, options);
      const divisor = Math.max(...models.map(({ architecture }) => 2 ** (architecture.encoder.length - 1)));
      if (size.some((length) => length % divisor !== 0))
        throw new UserError('usage', `--size: found ${size.join(',')}, expected multiples of ${divisor}`);
      const measured = models.map(({ model, architecture }) => ({ model, ...measure(architecture, size) }));
      if (options.json)
        return printJson({ source, size, ...(model && { description: model }), models: measured });
      if (model) print(`${describe(model)}\n`);
      print(measured.map((model) => describeModel(model, size)).join('\n\n'));
      note(`\n${remark}`);
    }),
  [
    ['the networks of ./lunet.yaml, or of the shipped default', 'lunet info'],
    ['the cost of a wider network', 'lunet info hippocampus --set models.0.n=8'],
    ['a trained network', 'lunet info runs/default/train/lunet-n4/seed-1'],
    ['a snapshot', 'lunet info runs/default/prune/widest/seed-1/snapshot-50.safetensors'],
  ],
);

type Size = readonly [x: number, y: number, z: number];

interface Subject {
  readonly source: string;
  readonly size: Size;
  readonly models: readonly { readonly model: string; readonly architecture: Architecture }[];
  /** The description, for a model file. */
  readonly model?: ModelDescription | undefined;
  readonly remark: string;
}

/** Whether a path is the folder of a run. */
const isRun = (path: string): boolean => isFolder(path) && existsSync(join(path, FILES.record));

function ofExperiment(path: string | undefined, { set, size }: Options): Subject {
  const { config, source } = openExperiment(path, set);
  const models = config.models.map((model) => ({
    model: modelName(model),
    architecture: configuredArchitecture(config, model),
  }));
  const remark = config.dataset.channels
    ? 'Counted'
    : 'Counted for one input channel, because dataset.channels is not set,';
  return {
    source,
    size: size ?? windowSize(config),
    models,
    remark: `${remark} per case of ${(size ?? windowSize(config)).join('x')} voxels.`,
  };
}

function ofNetwork(path: string, { set, size: wanted }: Options): Subject {
  if (set.length > 0) throw new UserError('usage', '--set: applies to experiments only, found a model');
  const { file, network } = isRun(path) ? networkOfRun(path) : { file: path, network: readNetwork(path) };
  const { architecture, labels, model } = network;
  const size = wanted ?? model?.preprocessing.size ?? [64, 64, 64];
  return {
    source: file,
    size,
    models: [{ model: file, architecture }],
    model: model && withoutWeights(model),
    remark:
      (model === undefined ? `Outputs: ${labels.join(', ')}. ` : '') +
      `Counted per case of ${size.join('x')} voxels (--size).`,
  };
}

function networkOfRun(folder: string): { file: string; network: SavedNetwork } {
  const { model, path } = openModel(folder);
  const labels = model.outputs.map(({ name }) => name);
  return { file: path, network: { architecture: model.architecture, labels, weights: model.weights, model } };
}

function withoutWeights(model: Model): ModelDescription {
  return Object.fromEntries(Object.entries(model).filter(([key]) => key !== 'weights')) as unknown as Model;
}

/** The description of a model: its purpose and how it was made, one line for each fact. */
function describe({
  name,
  outputs,
  channels,
  preprocessing,
  mirror,
  inference,
  training,
  run,
  licence,
}: ModelDescription): string {
  const { size, spacing, antialias, anisotropic, normalisation, orientation } = preprocessing;
  const span = ({ min, max }: Range<Extent>): string =>
    min
      .map((least, i) => (least === max[i] ? short(least) : `${short(least)}-${short(max[i] as number)}`))
      .join(' x ');
  const rows: [string, string][] = [
    ['Model', name],
    ['Outputs', outputs.map(({ name: label, values }) => `${label} (${values.join(' + ')})`).join(', ')],
    ['Channels', channels.join(', ')],
    [
      'Window',
      `${size.join(' x ')} voxels${spacing ? `, resampled to ${spacing.map(short).join(' x ')} mm` : ''}` +
        `${antialias ? ', antialiased' : ''}${anisotropic ? ', slices apart if thick' : ''}`,
    ],
    ['Normalisation', describeNormalisation(normalisation, channels)],
    ['Orientation', orientation === 'RAS' ? 'turned to RAS' : 'as stored'],
    ['Mirrored', mirror.length > 0 ? mirror.join(', ') : 'no axis'],
    ...(inference
      ? ([
          [
            'Evaluated',
            `with windows that share ${inference.overlap} of their length` +
              (inference.mirror.length > 0 ? `, mirrored along ${inference.mirror.join(', ')}` : ''),
          ],
        ] as [string, string][])
      : []),
    ...(training
      ? ([
          [
            'Trained on',
            `${training.cases} cases of ${span(training.size)} voxels, ${span(training.spacing)} mm, ` +
              `stored as ${training.orientations.join(', ')}`,
          ],
        ] as [string, string][])
      : []),
    ['Run', `${run.experiment}, ${run.method}, seed ${run.seed} (${run.key.slice(0, 12)})`],
    ...(licence === undefined ? [] : ([['Licence', licence]] as [string, string][])),
  ];
  return rows.map(([key, value]) => `${`${key}:`.padEnd(15)}${value}`).join('\n');
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** One way for all channels, or that of each by its name. */
function describeNormalisation(
  normalisation: ModelDescription['preprocessing']['normalisation'],
  channels: readonly string[],
): string {
  const name = (how: FittedNormalisation): string =>
    typeof how === 'string'
      ? how
      : JSON.stringify(how, (_, value: unknown) =>
          typeof value === 'number' ? Number(short(value)) : value,
        );
  return Array.isArray(normalisation)
    ? (normalisation as FittedNormalisation[]).map((how, i) => `${channels[i]}: ${name(how)}`).join(', ')
    : name(normalisation as FittedNormalisation);
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
    // The output of the head is used at once and never stored.
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
