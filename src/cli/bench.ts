// `lunet bench`: how fast the engine is on this machine, as a share of what the machine can do.

import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { BENCH_CASES, type BenchCase, type Measurement, measure } from '../engine/bench.js';
import { benchKernels, createNativeEngine, measurePeak } from '../engine/native/index.js';
import { createEngine } from '../engine/index.js';
import { addExamples } from './help.js';
import { engineOption, jsonOption, parseCount, threadsOption } from './options.js';
import { formatTable, note, print, printJson } from './terminal.js';

interface Options {
  readonly family?: BenchCase['family'];
  readonly n?: number;
  readonly levels?: number;
  readonly convs?: number;
  readonly size?: number;
  readonly batch?: number;
  readonly mode?: BenchCase['mode'];
  readonly repeats?: number;
  readonly threads?: number;
  readonly isa?: string;
  readonly engine: string;
  readonly passes?: boolean;
  readonly kernels?: boolean;
  readonly json?: boolean;
}

const count = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string) => parseCount(value, 4096));

export const command = addExamples(
  new Command('bench')
    .description('Measures training and inference. Without options: a short standard list.')
    .addOption(new Option('--family <name>', 'network family').choices(['unet', 'lunet']))
    .addOption(count('--n <channels>', 'channels at the top level (default: 4)'))
    .addOption(count('--levels <count>', 'resolutions (default: 5)'))
    .addOption(count('--convs <count>', 'convolutions per block (default: 2)'))
    .addOption(count('--size <voxels>', 'voxels along each axis (default: 64)'))
    .addOption(count('--batch <cases>', 'cases per step (default: 16 for training, 1 for inference)'))
    .addOption(new Option('--mode <mode>', 'what to measure').choices(['train', 'infer']))
    .addOption(count('--repeats <count>', 'counted steps of each case, after a short warm-up (default: 5)'))
    .addOption(threadsOption())
    .addOption(new Option('--isa <name>', 'instruction set of the native engine: avx512, avx2, baseline'))
    .addOption(engineOption())
    .option('--passes', 'the 3x3x3 convolutions of the native engine too: forward, input and weight gradient')
    .option('--kernels', 'the kernels of the native engine one by one instead, on one thread')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      if (options.kernels) {
        showKernels(options);
        return;
      }
      const engine = await createEngine(options.engine, {
        threads: options.threads,
        isa: options.isa,
        warn: note,
      });
      const { name, device, threads } = engine.description;
      const peak =
        name === 'native' ? measurePeak(device, Math.min(threads, availableParallelism())) : undefined;
      const { family, n, levels, convs, size, batch, mode } = options;
      const single = [family, n, levels, convs, size, batch, mode].some((value) => value !== undefined);
      const wanted: readonly BenchCase[] = single
        ? [
            {
              family: family ?? 'lunet',
              n: n ?? 4,
              levels: levels ?? 5,
              convs: convs ?? 2,
              size: size ?? 64,
              mode: mode ?? 'train',
              batch: batch ?? (mode === 'infer' ? 1 : 16),
            },
          ]
        : BENCH_CASES;
      if (peak !== undefined)
        note(
          `${name} (${device}, ${threads} threads): ${peak.toFixed(0)} GFLOP/s of multiply-adds in registers`,
        );
      const cases = [];
      for (const test of wanted) {
        const measured = await measure(engine, test, options.repeats ?? 5, options.passes);
        cases.push({
          ...test,
          ...measured,
          peakShare: peak === undefined ? undefined : measured.gflops / peak,
        });
      }
      const metered = cases.some(({ operations }) => operations !== undefined);
      if (options.json) {
        printJson({ engine: name, isa: device, threads, fmaPeakGflops: peak, cases });
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
            `${test.family} n=${test.n}, ${test.levels} levels, ${test.convs} convs`,
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
      note('\nMemory is the largest of the process so far, so later rows never show less than earlier ones.');
    }),
  [
    ['the standard list', 'lunet bench'],
    [
      'one network',
      'lunet bench --family lunet --n 4 --levels 5 --convs 2 --size 64 --batch 16 --mode train',
    ],
    ['its convolutions pass by pass', 'lunet bench --passes'],
    ['kernel by kernel', 'lunet bench --kernels'],
    ['for scripts', 'lunet bench --json'],
  ],
);

/** How fast the convolutions of each case are, as shares of one thread's peak in GFLOP/s. */
function showPasses(cases: readonly (BenchCase & Measurement)[], peak: number): void {
  const rows = cases.flatMap(({ family, n, mode, batch, passes = [] }) => {
    const done = passes.filter(({ multiplyAdds }) => multiplyAdds > 0);
    const all = {
      pass: 'all',
      multiplyAdds: done.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
      seconds: done.reduce((sum, { seconds }) => sum + seconds, 0),
    };
    return [...done, ...(done.length > 1 ? [all] : [])].map(({ pass, multiplyAdds, seconds }) => {
      const gflops = (2e-9 * multiplyAdds) / seconds;
      return [
        `${family} n=${n}`,
        mode,
        String(batch),
        pass,
        gflops.toFixed(0),
        ((100 * gflops) / peak).toFixed(0),
      ];
    });
  });
  print('');
  print(
    formatTable(
      [
        { title: 'Network' },
        { title: 'Mode' },
        { title: 'Batch', align: 'right' },
        { title: '3x3x3 convolutions' },
        { title: 'GFLOP/s a thread', align: 'right' },
        { title: '% of peak', align: 'right' },
      ],
      rows,
    ),
  );
}

/** Each kernel's speed, convolutions as a share of one thread's peak. */
function showKernels({ isa, json }: Options): void {
  const { device } = createNativeEngine({ threads: 1, isa }).description;
  const peak = measurePeak(device, 1);
  const kernels = benchKernels(device).map((figure) => ({
    ...figure,
    ...(figure.gflops !== undefined && { peakShare: figure.gflops / peak }),
  }));
  if (json) {
    printJson({ isa: device, threads: 1, fmaPeakGflops: peak, kernels });
    return;
  }
  note(`${device}, 1 thread: ${peak.toFixed(0)} GFLOP/s of multiply-adds in registers`);
  print(
    formatTable(
      [
        { title: 'Kernel' },
        { title: 'On' },
        { title: 'GFLOP/s', align: 'right' },
        { title: '% of peak', align: 'right' },
        { title: 'GB/s', align: 'right' },
      ],
      kernels.map(({ kernel, shape, gflops, peakShare, gigabytes }) => [
        kernel,
        shape,
        gflops?.toFixed(0) ?? '',
        peakShare === undefined ? '' : (100 * peakShare).toFixed(0),
        gigabytes?.toFixed(1) ?? '',
      ]),
    ),
  );
}
