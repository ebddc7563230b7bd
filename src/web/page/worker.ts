// The worker of the page: reads scans, segments them and writes label maps, while the page stays responsive.

import { axisCodes } from '../../data/nifti/affine.js';
import { orient, orientExtent, orientingOf } from '../../data/orientation.js';
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
  const volumes: Volume[] = [];
  for (const name of names) {
    const image = byName.get(name.replace(/\.hdr(\.gz)?$/i, '.img$1'));
    volumes.push(await readNifti(await bytesOf(byName.get(name)), name, image && (await bytesOf(image))));
  }
  const read = performance.now();
  const first = volumes[0] as Volume;
  const orienting = orientingOf(axisCodes(first.affine), 'RAS');
  const scan: ShownScan = {
    files: names,
    size: orientExtent(first.size, orienting),
    spacing: orientExtent(first.spacing, orienting),
    greys: volumes.flatMap((volume) =>
      greyChannels(volume, model.description).map((grey) => orient(grey, first.size, orienting)),
    ),
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
        reading: (read - start) / 1000,
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

/** The channels of a volume as greys, between the limits of training or between percentiles. */
function greyChannels(
  { voxels, channels }: Volume,
  { preprocessing: { normalisation } }: ModelDescription,
): Uint8Array[] {
  const each = voxels.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    const channel = voxels.subarray(c * each, (c + 1) * each);
    const window =
      typeof normalisation === 'object' && 'window' in normalisation
        ? normalisation.window
        : greyWindow(channel);
    return greys(channel, window);
  });
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
