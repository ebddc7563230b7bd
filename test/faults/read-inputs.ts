// Started by inputs.ts: reads a batch of changed files of one kind (volumes, configs), generated from a seed, and prints the
// violations as JSON.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { loadExperiment } from '../../src/config/load.js';
import { shippedConfigs } from '../../src/config/shipped.js';
import { readNifti } from '../../src/data/nifti/read.js';
import { writeNifti } from '../../src/data/nifti/write.js';
import { UserError } from '../../src/errors.js';
import { type RandomStream, stream } from '../../src/random.js';
import { type BatchResult } from './inputs.js';

const [kind, seed, batch] = process.argv.slice(2) as [string, string, string];
const random = stream(Number(seed), kind);
const folder = mkdtempSync(join(tmpdir(), 'lunet-faults-'));
// For a file of a few kilobytes, a larger allocation must come from the header.
const MOST_BYTES = 300 * 2 ** 20;

/** A few random changes: bytes set to special values, sections removed, duplicated or moved. */
function changed(bytes: Buffer, within: number, random: RandomStream): Buffer {
  let result = Buffer.from(bytes);
  for (let i = 0; i < 1 + random.integer(4); i++) {
    const at = random.integer(Math.min(within, result.length) || 1);
    const length = random.integer(16);
    switch (random.integer(6)) {
      case 0:
        result[at] = [0, 1, 0x7f, 0x80, 0xff, 0x20][random.integer(6)] as number;
        break;
      case 1:
        if (at + 4 <= result.length)
          result.writeInt32LE([-1, 0, 2 ** 31 - 1, -(2 ** 31)][random.integer(4)] as number, at);
        break;
      case 2:
        if (at + 4 <= result.length)
          result.writeFloatLE([NaN, Infinity, -1e38, 1e-40][random.integer(4)] as number, at);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 4:
        result = Buffer.concat([
          result.subarray(0, at),
          result.subarray(at, at + length),
          result.subarray(at),
        ]);
        break;
      default:
        result = result.subarray(0, random.uniform() < 0.2 ? at : result.length);
    }
  }
  return result;
}

/** Reads one changed file; returns a violation, if any. */
async function readChanged(): Promise<string | undefined> {
  const before = process.memoryUsage().rss;
  try {
    if (kind === 'volumes') await readChangedVolume();
    else readChangedConfig();
  } catch (error) {
    if (!(error instanceof UserError)) return `is called a bug: ${(error as Error).stack ?? String(error)}`;
    if (error.message.length === 0 || error.message.includes('\n    at ')) return 'has no proper message';
  }
  const grown = process.memoryUsage().rss - before;
  return grown > MOST_BYTES ? `took ${Math.round(grown / 2 ** 20)} MiB` : undefined;
}

let volume: Buffer | undefined;

async function readChangedVolume(): Promise<void> {
  const path = join(folder, random.uniform() < 0.5 ? 'volume.nii' : 'volume.nii.gz');
  if (volume === undefined) {
    const whole = join(folder, 'whole.nii.gz');
    await writeNifti(whole, { size: [5, 6, 7], spacing: [1, 1, 2], voxels: new Int16Array(210).fill(3) });
    volume = gunzipSync(readFileSync(whole));
  }
  const header = changed(volume, 352, random);
  const bytes = random.uniform() < 0.3 ? changed(gzipSync(header), 64, random) : gzipSync(header);
  writeFileSync(path, random.uniform() < 0.5 ? header : bytes);
  await readNifti(path);
}

function readChangedConfig(): void {
  const names = readdirSync(shippedConfigs).filter((name) => name.endsWith('.yaml'));
  const bytes = readFileSync(join(shippedConfigs, names[random.integer(names.length)] as string));
  const path = join(folder, 'changed.yaml');
  writeFileSync(path, changed(bytes, bytes.length, random));
  loadExperiment(path);
}

const result: BatchResult & { faults: string[] } = { tried: Number(batch), faults: [] };
for (let i = 0; i < result.tried; i++) {
  const wrong = await readChanged();
  if (wrong !== undefined) result.faults.push(`${kind} of seed ${seed}, number ${i}: ${wrong}`);
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify(result));
