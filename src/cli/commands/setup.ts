// `lunet setup`: builds the native engine before its first use, and sets up TensorFlow, which is optional.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../../errors.js';
import { setUpNative } from '../../engine/native/provide.js';
import { installationFolder, removeInstallation } from '../../engine/tensorflow/installation.js';
import { setUp } from '../../engine/tensorflow/setup.js';
import { addExamples } from '../help.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { jsonOption, parseFolder } from '../options.js';
import { note, print, printJson } from '../terminal/output.js';

interface Options {
  readonly cuda?: boolean;
  readonly cpu?: boolean;
  readonly library?: string;
  readonly dir?: string;
  readonly remove?: boolean;
  readonly json?: boolean;
}

const tensorflow = addExamples(
  new Command('tensorflow')
    .description(
      'Sets TensorFlow up for --engine tensorflow: its Python package in a separate environment, and the binding of ' +
        '@tensorflow/tfjs-node-gpu compiled against it. Safe to repeat: finished steps are kept.',
    )
    .option('--cuda', 'with CUDA for an NVIDIA GPU; this is the default if nvidia-smi runs')
    .addOption(new Option('--cpu', 'without CUDA').conflicts('cuda'))
    .addOption(
      new Option(
        '--library <folder>',
        'your own TensorFlow: a folder with its include and libraries, instead of the Python package',
      )
        .conflicts(['cuda', 'cpu'])
        .argParser(parseFolder),
    )
    .option('--dir <folder>', 'the folder to install into; default: the cache folder of lunet', parseFolder)
    .option('--remove', 'remove what was set up')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const folder = options.dir === undefined ? installationFolder() : resolve(options.dir);
      if (options.remove) {
        if (!removeInstallation(folder))
          throw new UserError('failed', `${folder}: there is nothing to remove`);
        note(`Removed: ${folder}`);
        return;
      }
      const cuda = options.cuda ?? (!options.cpu && spawnSync('nvidia-smi', ['-L']).status === 0);
      const live = process.stderr.isTTY;
      const clear = (): void => void (live && process.stderr.write('\r\x1b[K'));
      const result = await setUp({
        folder,
        kind: options.library === undefined ? (cuda ? 'cuda' : 'cpu') : 'own',
        own: options.library,
        signal: interruptSignal('finished steps are kept; the same command continues'),
        step: (what) => {
          clear();
          note(`${what} ...`);
        },
        detail: (line) => {
          if (live) process.stderr.write(`\r\x1b[K  ${line.slice(0, (process.stderr.columns || 80) - 4)}`);
        },
      }).finally(clear);
      if (options.json) printJson({ folder, ...result });
      else print(`TensorFlow ${result.tensorflow} on ${result.device} is ready in ${folder}`);
      note('\nNext: lunet train --engine tensorflow');
    }),
  [
    ['for the GPU if there is one, else for the processor', 'lunet setup tensorflow'],
    ['with CUDA, on a disk with enough space', 'lunet setup tensorflow --cuda --dir /data/lunet-tensorflow'],
    ['remove it', 'lunet setup tensorflow --remove'],
  ],
);

const native = addExamples(
  new Command('native')
    .description(
      'Builds the native engine with the C++ compiler of this machine and shows its messages. Without this command lunet ' +
        'builds the engine at first use. Safe to repeat: an existing build is kept.',
    )
    .option('--force', 'build even if there is a build')
    .addOption(jsonOption())
    .action(async ({ force, json }: { force?: boolean; json?: boolean }) => {
      const signal = interruptSignal('nothing was changed');
      const result = await setUpNative({ force, say: note, signal });
      if (!result.addon) {
        const { problem, cure, log } = result;
        if (log !== undefined) note(log);
        throw new UserError(
          'engine',
          `the native engine was not built: ${problem}; ${log === undefined ? cure : 'all of the messages are above'}`,
        );
      }
      const { path, built } = result;
      if (json) printJson({ path, built });
      else print(`The native engine is ${built ? 'ready' : 'already built'}: ${path}`);
      if (process.env['LUNET_NATIVE'])
        note(`LUNET_NATIVE is set, so lunet uses ${process.env['LUNET_NATIVE']} instead.`);
      if (!json) note('\nNext: lunet train');
    }),
  [
    ['build it now, for instance on a login node', 'lunet setup native'],
    ['build it again', 'lunet setup native --force'],
  ],
);

export const command = addExamples(
  new Command('setup')
    .description('Sets up what commands need: the native engine, and TensorFlow for GPUs.')
    .addCommand(native.summary('the native engine'))
    .addCommand(tensorflow.summary('TensorFlow, for GPUs')),
  [
    ['the native engine, before its first use', 'lunet setup native'],
    ['TensorFlow for the GPU', 'lunet setup tensorflow --cuda'],
    ['see what is set up and whether it works', 'lunet doctor'],
  ],
);
