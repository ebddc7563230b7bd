// `lunet data`: commands about datasets.

import { Command } from 'commander';
import { addExamples } from '../help.js';
import { inspect } from './data/inspect.js';
import { phantom } from './data/phantom.js';
import { preview } from './data/preview.js';

export const command = addExamples(
  new Command('data')
    .description('Inspects and makes datasets.')
    .addCommand(inspect)
    .addCommand(preview)
    .addCommand(phantom),
  [
    ['what a dataset contains', 'lunet data inspect Task04_Hippocampus'],
    ['what training feeds to a network', 'lunet data preview --epoch 3'],
    ['generate a dataset for first experiments', 'lunet data phantom --out phantoms'],
    ['all settings of the generator', 'lunet data phantom --help'],
  ],
);
