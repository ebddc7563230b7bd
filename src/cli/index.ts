// Every command: its name, its line in `lunet --help`, and its module. The module is loaded only when the command is called,
// so that help is fast. It exports `command`.

import { type Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'write an experiment file for a dataset, with reasons',
    load: () => import('./commands/init.js'),
  },
  {
    name: 'run',
    summary: 'do the whole experiment: train, prune, retrain, report',
    load: () => import('./commands/run.js'),
  },
  {
    name: 'status',
    summary: 'show the progress of each run of an experiment',
    load: () => import('./commands/status.js'),
  },
  {
    name: 'train',
    summary: 'train every model of an experiment for every seed',
    load: () => import('./commands/train.js'),
  },
  {
    name: 'prune',
    summary: 'remove channels from a network step by step while it trains',
    load: () => import('./commands/prune.js'),
  },
  {
    name: 'retrain',
    summary: 'train the pruned architectures as independent networks',
    load: () => import('./commands/retrain.js'),
  },
  {
    name: 'report',
    summary: 'write tables, figures and a page from the runs so far',
    load: () => import('./commands/report.js'),
  },
  {
    name: 'predict',
    summary: 'segment scans with trained models',
    load: () => import('./commands/predict.js'),
  },
  {
    name: 'export',
    summary: 'write a trained model for ONNX Runtime and other programs',
    load: () => import('./commands/export.js'),
  },
  {
    name: 'evaluate',
    summary: 'measure predicted label maps against references',
    load: () => import('./commands/evaluate.js'),
  },
  {
    name: 'bench',
    summary: 'measure the engine on this machine',
    load: () => import('./commands/bench.js'),
  },
  {
    name: 'doctor',
    summary: 'check compiler, engines and instruction sets',
    load: () => import('./commands/doctor.js'),
  },
  {
    name: 'setup',
    summary: 'set up engines: native, TensorFlow for GPUs',
    load: () => import('./commands/setup.js'),
  },
  {
    name: 'data',
    summary: 'show what a dataset contains; generate phantoms',
    load: () => import('./commands/data.js'),
  },
  {
    name: 'config',
    summary: 'show, check or describe the configuration',
    load: () => import('./commands/config.js'),
  },
  {
    name: 'info',
    summary: 'show networks layer by layer: channels, parameters, cost',
    load: () => import('./commands/info.js'),
  },
];
