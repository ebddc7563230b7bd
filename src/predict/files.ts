// The files of a case's result: which there are, and their bytes.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { derivedHeader, labelParts } from '../data/nifti/derived.js';
import { type Volume } from '../data/nifti/decode.js';
import { PROBABILITIES } from '../evaluation/find.js';
import { type Output } from '../model/model.js';
import { type Input } from './inputs.js';
import { type Segmentation } from '../inference/segment.js';

const compress = promisify(gzip);

/** Where results go: a folder, and the name of a single one if that was given. */
export interface Destination {
  readonly folder: string;
  /** Name of the label map, where it is not the scan's. */
  readonly file?: string | undefined;
}

/** What is written for each case. */
export interface Wanted {
  readonly separate: boolean;
  readonly probabilities: boolean;
}

/** A case's files by their path from the output folder. */
export interface ResultFiles {
  /** Of the record: the name of the label map, or of the masks' folder. */
  readonly name: string;
  readonly labels?: string;
  /** One an output. */
  readonly masks?: readonly string[];
  readonly probabilities?: string;
}

/** Names of the files that a case leaves. */
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

/** All of them. */
export function allFiles({ labels, masks = [], probabilities }: ResultFiles): string[] {
  return [labels, ...masks, probabilities].filter((file) => file !== undefined);
}

/** The bytes of a case's files by path, one after the other; they lie in space where `scan` lies. */
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

/** The bytes of a label map that lies where a scan lies; compressed if the name ends in .gz. */
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
