// `lunet data`: commands about datasets.

import { Command } from 'commander';
import { addExamples } from '../help.js';
import { phantom } from './data/phantom.js';

export const command = addExamples(new Command('data').description('Makes datasets.').addCommand(phantom), [
  ['generate a dataset for first experiments', 'lunet data phantom --out phantoms'],
  ['all settings of the generator', 'lunet data phantom --help'],
]);
