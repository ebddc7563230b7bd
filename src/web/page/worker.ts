// The worker of the page: reads scans, segments them and writes label maps, while the page stays responsive.

import { axisCodes } from '../../data/nifti/affine.js';
import { type FittedNormalisation, isFitted, ofChannel } from '../../data/normalise.js';
import { orient, orientExtent, orientingOf } from '../../data/orientation.js';
import { alongside } from '../../data/together.js';
import { type ModelDescription } from '../../model/model.js';
import { paintedValue } from '../../inference/labels.js';
import { type OpenModel, UserError, type Volume, openModel, readNifti, writeNifti } from '../index.js';
import { labelMapName, orderFiles } from './files.js';
import { greyWindow, greys } from './grey.js';
import { type Reply, type Request, type ShownScan } from './messages.js';

const tell = (reply: Reply, transfer: Transferable[] = []): void =>
  (self as unknown as Worker).postMessage(reply, transfer);

let opened: Promise<OpenModel> | undefined;

self.addEventListener('message', (event) => {
  const { data } = event as MessageEvent<Request>;
  const work = data.kind === 'open' ? open(data.model, data.engine) : segment(data.files);
  work.catch((error: unknown) => tell({ kind: 'failed', message: sentence(error) }));
});

function sentence(error: unknown): string {
  if (error instanceof UserError) return error.message;
  // Chromium and Firefox throw this if there is too little memory.
  if (error instanceof RangeError) return 'The browser has not enough memory for this scan.';
  return error instanceof Error ? error.message : String(error);
}

async function open(model: Uint8Array, engine: Uint8Array): Promise<void> {
  opened = openModel(model, engine);
  await opened;
  tell({ kind: 'ready' });
}

async function segment(files: readonly File[]): Promise<void> {
  const model = await (opened as Promise<OpenModel>);
  const { channels } = model.description;
  const start = performance.now();
  const byName = new Map(files.map((file) => [file.name, file]));
  const images = [...byName.keys()].filter((name) => /\.img(\.gz)?$/i.test(name));
  const names = orderFiles(
    [...byName.keys()].filter((name) => !images.includes(name)),
    channels,
  );
  const read: Volume[] = [];
  for (const name of names) {
    const image = byName.get(name.replace(/\.hdr(\.gz)?$/i, '.img$1'));
    read.push(await readNifti(await bytesOf(byName.get(name)), name, image && (await bytesOf(image))));
  }
  const end = performance.now();
  const first = read[0] as Volume;
  const volumes = read.map((volume, i) => alongside(volume, names[i] as string, first, () => undefined));
  const orienting = orientingOf(axisCodes(first.affine), 'RAS');
  const scan: ShownScan = {
    files: names,
    size: orientExtent(first.size, orienting),
    spacing: orientExtent(first.spacing, orienting),
    greys: volumes
      .flatMap(channelsOf)
      .map((channel, c) => orient(greysOf(channel, c, model.description), first.size, orienting)),
  };
  tell({ kind: 'scan', scan }, buffersOf(scan.greys));

  const begin = performance.now();
  const result = await model.segment(volumes, {
    names,
    progress: (done, total) => tell({ kind: 'progress', done, total }),
  });
  const segmenting = performance.now() - begin;
  const name = labelMapName(names[0] as string, channels.length);
  const file = { name, bytes: await writeNifti(result.labels, first, name) };
  const { indices, members } = paintedIndices(result.labels, model.description);
  const labels = orient(indices, first.size, orienting);
  const { findings, warnings } = result;
  tell(
    {
      kind: 'result',
      result: {
        labels,
        members,
        findings,
        warnings,
        reading: (end - start) / 1000,
        segmenting: segmenting / 1000,
        file,
      },
    },
    buffersOf([labels, file.bytes]),
  );
}

async function bytesOf(file: File | undefined): Promise<Uint8Array> {
  try {
    return new Uint8Array(await (file as File).arrayBuffer());
  } catch {
    throw new UserError('data', `${file?.name}: cannot be read: was it moved or changed?`);
  }
}

const buffersOf = (arrays: readonly Uint8Array[]): ArrayBuffer[] =>
  arrays.map(({ buffer }) => buffer as ArrayBuffer);

function channelsOf({ voxels, channels }: Volume): Volume['voxels'][] {
  const each = voxels.length / channels;
  return Array.from({ length: channels }, (_, c) => voxels.subarray(c * each, (c + 1) * each));
}

/** A channel as greys, between the limits that the model was trained with or between percentiles. */
function greysOf(
  voxels: Volume['voxels'],
  channel: number,
  { preprocessing: { normalisation } }: ModelDescription,
): Uint8Array {
  return greys(voxels, windowOf(ofChannel(normalisation, channel)) ?? greyWindow(voxels));
}

/** The intensities that a normalisation shows the network; undefined where they depend on the scan. */
function windowOf(how: FittedNormalisation | undefined): readonly [number, number] | undefined {
  if (typeof how !== 'object') return undefined;
  return 'window' in how ? how.window : isFitted(how) ? how.clip : undefined;
}

/** Label values as indices of the painted values, from 1, and the indices that belong to each output. */
function paintedIndices(
  labels: Uint8Array | Uint16Array,
  { outputs }: ModelDescription,
): { indices: Uint8Array; members: Uint8Array[] } {
  const painted = [...new Set(outputs.map(paintedValue))];
  const table = new Uint8Array(65_536);
  for (const [i, value] of painted.entries()) table[value] = i + 1;
  return {
    indices: Uint8Array.from(labels, (value) => table[value] as number),
    members: outputs.map(({ values }) =>
      Uint8Array.of(0, ...painted.map((value) => Number(values.includes(value)))),
    ),
  };
}
