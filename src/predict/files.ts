// The result files of a case: their names and bytes.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { derivedHeader, labelParts } from '../data/nifti/derived.js';
import { type Volume } from '../data/nifti/decode.js';
import { PROBABILITIES } from '../evaluation/find.js';
import { type Output } from '../model/model.js';
import { type Input } from './inputs.js';
import { type Segmentation } from '../inference/segment.js';

const compress = promisify(gzip);

/** The destination of results: a folder, and the name of a single result if the user gave one. */
export interface Destination {
  readonly folder: string;
  /** The name of the label map, if it differs from that of the scan. */
  readonly file?: string | undefined;
}

/** What is written for each case. */
export interface Wanted {
  readonly separate: boolean;
  readonly probabilities: boolean;
}

/** The files of a case, as paths from the output folder. */
export interface ResultFiles {
  /** The name of the record: that of the label map, or of the folder of the masks. */
  readonly name: string;
  readonly labels?: string;
  /** One for each output. */
  readonly masks?: readonly string[];
  readonly probabilities?: string;
}

/** The names of the files of a case. */
export function resultFiles(
  { id, ending }: Pick<Input, 'id' | 'ending'>,
  { file }: Destination,
  outputs: readonly Output[],
  { separate, probabilities }: Wanted,
): ResultFiles {
  const labels = file ?? id + ending;
  const [, stem = labels, own = ending] = /^(.*?)(\.nii(?:\.gz)?)$/i.exec(labels) ?? [];
  return {
    name: separate ? id : labels,
    ...(separate ? { masks: outputs.map(({ name }) => `${id}/${name}${own}`) } : { labels }),
    ...(probabilities && { probabilities: stem + PROBABILITIES + own }),
  };
}

/** All files of a case. */
export function allFiles({ labels, masks = [], probabilities }: ResultFiles): string[] {
  return [labels, ...masks, probabilities].filter((file) => file !== undefined);
}

/** The bytes of the files of a case by path, one after the other, with the position in space of `scan`. */
export async function* encodeFiles(
  scan: Omit<Volume, 'voxels'>,
  { labels: labelFile, masks: maskFiles = [], probabilities: probabilityFile }: ResultFiles,
  { labels, masks, probabilities }: Segmentation,
): AsyncGenerator<[file: string, bytes: Uint8Array]> {
  if (labelFile !== undefined && labels) yield [labelFile, await encodeLabels(labelFile, labels, scan)];
  for (const [k, file] of maskFiles.entries())
    yield [
      file,
      await encode(file, derivedHeader(scan, scan.head, { type: 'uint8' }), masks?.[k] as Uint8Array),
    ];
  if (probabilityFile !== undefined && probabilities) {
    const volumes = probabilities.length / (scan.size[0] * scan.size[1] * scan.size[2]);
    const header = derivedHeader(scan, scan.head, { type: 'uint8', volumes, slope: 1 / 255 });
    yield [probabilityFile, await encode(probabilityFile, header, probabilities)];
  }
}

/** The bytes of a label map with the position in space of a scan; compressed if the name ends in .gz. */
export function encodeLabels(
  file: string,
  labels: Uint8Array | Uint16Array,
  scan: Omit<Volume, 'voxels'>,
): Promise<Uint8Array> {
  return encode(file, ...labelParts(labels, scan));
}

async function encode(file: string, header: Uint8Array, voxels: Uint8Array): Promise<Uint8Array> {
  const bytes = Buffer.concat([header, voxels]);
  return /\.gz$/i.test(file) ? compress(bytes, { level: 4 }) : bytes;
}
