// `lunet bench`: measures the speed of the engine on this machine, in percent of the peak of the machine.

import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import {
  type BenchCase,
  type FamilyMember,
  STANDARD_LIST,
  type Work,
  familyCase,
  measure,
} from '../../engine/bench.js';
import { createEngine } from '../../engine/index.js';
import { measurePeak } from '../../engine/native/index.js';
import { requireAddon } from '../../engine/native/provide.js';
import { UserError } from '../../errors.js';
import { readNetwork } from '../../runs/network-file.js';
import { showKernels, showPasses, showPruned } from '../bench-tables.js';
import { addExamples } from '../help.js';
import { engineOption, isaOption, jsonOption, parseCount, threadsOption } from '../options.js';
import { note, print, printJson } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';

interface Options {
  readonly weights?: string;
  readonly family?: FamilyMember['family'];
  readonly n?: number;
  readonly levels?: number;
  readonly convs?: number;
  readonly size?: number;
  readonly batch?: number;
  readonly mode?: Work['mode'];
  readonly repeats?: number;
  readonly threads?: number;
  readonly isa?: string;
  readonly engine: string;
  readonly passes?: boolean;
  readonly kernels?: boolean;
  readonly pruned?: boolean;
  readonly json?: boolean;
}

const count = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string) => parseCount(value, 4096));

// Options that have no meaning for single kernels.
const NOT_WITH_KERNELS =
  'weights family n levels convs size batch mode repeats threads engine passes pruned'.split(' ');

export const command = addExamples(
  new Command('bench')
    .description('Measures training and inference. Without options: a short standard list.')
    .addOption(new Option('--weights <file>', 'a network saved by lunet, such as a snapshot'))
    .addOption(new Option('--family <name>', 'network family').choices(['unet', 'lunet']))
    .addOption(count('--n <channels>', 'channels at the top level (default: 4)'))
    .addOption(count('--levels <count>', 'resolutions (default: 5)'))
    .addOption(count('--convs <count>', 'convolutions per block (default: 2)'))
    .addOption(count('--size <voxels>', 'voxels along each axis (default: 64)'))
    .addOption(count('--batch <cases>', 'cases per step (default: 16 for training, 1 for inference)'))
    .addOption(new Option('--mode <mode>', 'what to measure').choices(['train', 'infer']))
    .addOption(count('--repeats <count>', 'measured steps of each case, after a short warm-up (default: 5)'))
    .addOption(threadsOption())
    .addOption(isaOption())
    .addOption(engineOption())
    .option(
      '--passes',
      'also the 3x3x3 convolutions of the native engine: forward, input and weight gradient',
    )
    .addOption(
      new Option(
        '--pruned',
        'instead networks along the pruning path of that network, with time per multiply-add',
      ).conflicts('passes'),
    )
    .addOption(
      new Option('--kernels', 'instead the kernels of the native engine one by one, on one thread').conflicts(
        NOT_WITH_KERNELS,
      ),
    )
    .addOption(jsonOption())
    .action(async (options: Options) => {
      if (options.kernels) {
        await requireAddon({ say: note });
        showKernels(options);
        return;
      }
      const { weights, family, n, levels, convs, size, batch, mode } = options;
      const single = [weights, family, n, levels, convs, size, batch, mode].some(
        (value) => value !== undefined,
      );
      const wanted =
        single || options.pruned
          ? [chosenCase(options)]
          : STANDARD_LIST.map((each) => familyCase(each, each));
      const engine = await createEngine(options.engine, {
        threads: options.threads,
        isa: options.isa,
        warn: note,
        say: note,
      });
      const { name, device, threads } = engine.description;
      const repeats = options.repeats ?? 5;
      if (options.pruned) {
        await showPruned(engine, wanted[0] as BenchCase, repeats, options.json ?? false);
        return;
      }
      const peak =
        name === 'native' ? measurePeak(device, Math.min(threads, availableParallelism())) : undefined;
      if (peak !== undefined)
        note(
          `${name} (${device}, ${threads} threads): ${peak.toFixed(0)} GFLOP/s of multiply-adds in registers`,
        );
      const cases = [];
      for (const test of wanted) {
        const measured = await measure(engine, test, repeats, options.passes);
        cases.push({
          ...test,
          ...measured,
          peakShare: peak === undefined ? undefined : measured.gflops / peak,
        });
      }
      const metered = cases.some(({ operations }) => operations !== undefined);
      if (options.json) {
        const shown = cases.map((test) => ({ ...test, architecture: undefined }));
        printJson({ engine: name, isa: device, threads, fmaPeakGflops: peak, cases: shown });
        return;
      }
      print(
        formatTable(
          [
            { title: 'Network' },
            { title: 'Mode' },
            { title: 'Size', align: 'right' },
            { title: 'Batch', align: 'right' },
            { title: 'ms/volume', align: 'right' },
            { title: 'GFLOP/s', align: 'right' },
            { title: '% of peak', align: 'right' },
            { title: 'Memory MB', align: 'right' },
            ...(metered
              ? [
                  { title: 'Operations', align: 'right' as const },
                  { title: 'Device MB', align: 'right' as const },
                ]
              : []),
          ],
          cases.map((test) => [
            test.network,
            test.mode,
            `${test.size}^3`,
            String(test.batch),
            test.msPerVolume.toFixed(2),
            test.gflops.toFixed(0),
            test.peakShare === undefined ? '-' : (100 * test.peakShare).toFixed(0),
            test.peakMemoryMB.toFixed(0),
            ...(metered ? [String(test.operations), (test.deviceMemoryMB ?? 0).toFixed(0)] : []),
          ]),
        ),
      );
      if (options.passes && peak !== undefined) showPasses(cases, peak / threads);
      note(
        '\nMultiply-adds are those of plain convolutions; an engine that needs fewer may exceed 100 % of the peak.\n' +
          'Memory is the peak of the process so far, so later rows never show less than earlier ones.',
      );
    }),
  [
    ['the standard list', 'lunet bench'],
    [
      'one network',
      'lunet bench --family lunet --n 4 --levels 5 --convs 2 --size 64 --batch 16 --mode train',
    ],
    ['its convolutions pass by pass', 'lunet bench --passes'],
    ['time per multiply-add as a network is pruned', 'lunet bench --pruned --family unet --batch 8'],
    ['a pruned network', 'lunet bench --weights runs/default/prune/widest/seed-1/snapshot-50.safetensors'],
    ['kernel by kernel', 'lunet bench --kernels'],
    ['for scripts', 'lunet bench --json'],
  ],
);

/** The one case that options describe. */
function chosenCase(options: Options): BenchCase {
  const { weights, family = 'lunet', n = 4, levels = 5, convs = 2, size = 64, mode = 'train' } = options;
  const work: Work = { size, mode, batch: options.batch ?? (mode === 'infer' ? 1 : 16) };
  if (
    weights !== undefined &&
    [options.family, options.n, options.levels, options.convs].some((value) => value)
  )
    throw new UserError(
      'usage',
      '--weights gives a network, so --family, --n, --levels and --convs cannot describe one',
    );
  const test =
    weights === undefined
      ? familyCase({ family, n, levels, convs }, work)
      : { network: weights, architecture: readNetwork(weights).architecture, ...work };
  const divisor = 2 ** (test.architecture.encoder.length - 1);
  if (size % divisor !== 0)
    throw new UserError(
      'usage',
      `--size: found ${size}, expected a multiple of ${divisor} for this number of levels`,
    );
  return test;
}
