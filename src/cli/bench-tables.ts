// Further tables of `lunet bench`: convolutions by pass, kernels, networks along the pruning path.

import { type BenchCase, type Measurement, caseMultiplyAdds, measure } from '../engine/bench.js';
import { type Engine } from '../engine/engine.js';
import { benchKernels, createNativeEngine, measurePeak } from '../engine/native/index.js';
import { countParameters } from '../network/parameters.js';
import { prunableChannels } from '../network/surgery.js';
import { exemplaryPath } from '../experiment/tasks.js';
import { note, print, printJson } from './terminal/output.js';
import { formatTable } from './terminal/table.js';

/** The speed of the convolutions of each case, in percent of the peak of one thread in GFLOP/s. */
export function showPasses(cases: readonly (BenchCase & Measurement)[], peak: number): void {
  const rows = cases.flatMap(({ network, mode, batch, passes = [] }) => {
    const done = passes.filter(({ multiplyAdds }) => multiplyAdds > 0);
    const all = {
      pass: 'all',
      multiplyAdds: done.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
      seconds: done.reduce((sum, { seconds }) => sum + seconds, 0),
    };
    return [...done, ...(done.length > 1 ? [all] : [])].map(({ pass, multiplyAdds, seconds }) => {
      const gflops = (2e-9 * multiplyAdds) / seconds;
      return [network, mode, String(batch), pass, gflops.toFixed(0), ((100 * gflops) / peak).toFixed(0)];
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
        { title: 'GFLOP/s per thread', align: 'right' },
        { title: '% of peak', align: 'right' },
      ],
      rows,
    ),
  );
}

/** The speed of each kernel; for convolutions also in percent of the peak of one thread. */
export function showKernels({ isa, json }: { isa?: string; json?: boolean }): void {
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

/** Percentages of the prunable channels at which networks are measured. */
const SHARES = [100, 75, 50, 35, 25, 20, 15, 12.5, 10];
/** Rounds over all networks, so that other load on the machine affects all of them equally. */
const ROUNDS = 3;

/**
 * Measures networks along the pruning path of `widest`: the time per multiply-add of each, relative to that of the unpruned
 * network. The best of several rounds.
 */
export async function showPruned(
  engine: Engine,
  start: BenchCase,
  repeats: number,
  json: boolean,
): Promise<void> {
  const path = exemplaryPath(start.architecture);
  const whole = prunableChannels(start.architecture);
  const cases = SHARES.flatMap((percent) => {
    const architecture = path.find((step) => prunableChannels(step) <= (whole * percent) / 100);
    return architecture === undefined ? [] : [{ ...start, architecture, percent, msPerVolume: Infinity }];
  });
  for (let round = 0; round < ROUNDS; round++)
    for (const test of cases) {
      const { msPerVolume } = await measure(engine, test, repeats);
      test.msPerVolume = Math.min(test.msPerVolume, msPerVolume);
    }
  const perMultiplyAdd = cases.map((test) => test.msPerVolume / caseMultiplyAdds(test));
  const results = cases.map((test, i) => ({
    percent: test.percent,
    parameters: countParameters(test.architecture),
    multiplyAdds: caseMultiplyAdds(test),
    msPerVolume: test.msPerVolume,
    relativeTime: (perMultiplyAdd[i] as number) / (perMultiplyAdd[0] as number),
  }));
  const { network, size, batch, mode } = start;
  if (json) {
    const { name, device, threads } = engine.description;
    printJson({ engine: name, isa: device, threads, network, size, batch, mode, path: results });
    return;
  }
  print(
    formatTable(
      [
        { title: '% of channels', align: 'right' },
        { title: 'Parameters', align: 'right' },
        { title: 'M multiply-adds', align: 'right' },
        { title: 'ms/volume', align: 'right' },
        { title: 'Time per multiply-add', align: 'right' },
      ],
      results.map((result) => [
        String(result.percent),
        result.parameters.toLocaleString('en'),
        (result.multiplyAdds / 1e6).toFixed(0),
        result.msPerVolume.toFixed(2),
        `${result.relativeTime.toFixed(2)}x`,
      ]),
    ),
  );
  note(`\n${network}, ${size}^3, batch ${batch}, ${mode}, pruned by the strategy widest.`);
}
