// Every command: its name, its line in `lunet --help`, and where it is. A command's module loads when it is called,
// so that help is there at once. A module exports `command`.

import { type Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'the whole experiment: train, prune, retrain, report',
    load: () => import('./commands/run.js'),
  },
  {
    name: 'status',
    summary: 'how far each run of an experiment is',
    load: () => import('./commands/status.js'),
  },
  {
    name: 'train',
    summary: 'train every model of an experiment for every seed',
    load: () => import('./commands/train.js'),
  },
  {
    name: 'prune',
    summary: 'take channels out of a network step by step while it trains',
    load: () => import('./commands/prune.js'),
  },
  {
    name: 'retrain',
    summary: 'train the architectures that pruning arrived at',
    load: () => import('./commands/retrain.js'),
  },
  {
    name: 'report',
    summary: 'tables, figures and a page from what has been run',
    load: () => import('./commands/report.js'),
  },
  {
    name: 'export',
    summary: 'write a trained model for ONNX Runtime and other programs',
    load: () => import('./commands/export.js'),
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
    summary: 'generate phantom volumes to try things on',
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
