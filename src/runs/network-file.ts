// Reads a saved network: its weights and, from the file's metadata, the architecture and labels that they belong to.
// Written by src/training/outputs.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { type Architecture } from '../network/architecture.js';
import { listTensors } from '../network/parameters.js';
import { type Weights } from '../network/weights.js';
import { runKey } from './identity.js';
import { type RunRecord } from './run.js';
import { readSafetensors } from './safetensors.js';
import { sha256 } from './sealed.js';

/** A network as it was saved. */
export interface SavedNetwork {
  readonly architecture: Architecture;
  /** Names of the outputs. */
  readonly labels: readonly string[];
  readonly weights: Weights;
}

const count = z.int().min(1).max(65536);
const blocks = z.array(z.array(count).min(1).max(100)).max(100);

const architectureSchema = z
  .strictObject({
    inputChannels: count,
    labels: count.max(32),
    skips: z.boolean(),
    encoder: blocks.min(1),
    decoder: blocks,
    up: z.array(count),
  })
  .refine(
    ({ encoder, decoder, up }) => decoder.length === encoder.length - 1 && up.length === encoder.length - 1,
  );

/** The network saved in a safetensors file. Throws a UserError of kind `data` if it is damaged or holds none. */
export function readNetwork(path: string): SavedNetwork {
  const { tensors, metadata } = readSafetensors(path);
  const fail = (problem: string): never => {
    throw new UserError(
      'data',
      `${path}: ${problem}, expected a network saved by lunet (weights.safetensors)`,
    );
  };
  const parse = <T>(key: string, schema: z.ZodType<T>): T => {
    const text = metadata[key];
    if (text === undefined) return fail(`found no ${key} in its metadata`);
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      return fail(`found an impossible ${key} in its metadata`);
    }
  };
  const architecture = parse('architecture', architectureSchema);
  const labels = parse('labels', z.array(z.string()));
  if (labels.length !== architecture.labels)
    fail(`found ${labels.length} labels for ${architecture.labels} outputs`);
  const expected = listTensors(architecture);
  for (const { name, shape } of expected) {
    const found = tensors.get(name)?.shape.join('x') ?? 'nothing';
    if (found !== shape.join('x'))
      fail(`${name}: found ${found} where its architecture has ${shape.join('x')}`);
  }
  if (tensors.size !== expected.length)
    fail(`found ${tensors.size} tensors where its architecture has ${expected.length}`);
  return { architecture, labels, weights: tensors };
}

/** Weights that a run has left, read when they are asked for. */
export interface SavedWeights {
  readonly path: string;
  /** SHA-256 of the file. */
  readonly digest: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly weights: () => Weights;
}

/**
 * Weights from a file of a run's folder. Throws a UserError of kind `data` if the file is damaged or absent, or belongs to
 * another run.
 */
export function readWeightsOf(record: RunRecord, folder: string, name: string): SavedWeights {
  const path = join(folder, name);
  const { metadata } = readSafetensors(path);
  if (metadata['run'] !== runKey(record))
    throw new UserError(
      'data',
      `${path}: belongs to another run than ${folder}, expected the file that this run wrote; ` +
        'do the run anew with --overwrite',
    );
  const digest = sha256(readFileSync(path));
  const weights = (): Weights => {
    const { tensors } = readSafetensors(path);
    if (sha256(readFileSync(path)) !== digest)
      throw new UserError('data', `${path}: has changed while it was to be used; start the command again`);
    return tensors;
  };
  return { path, digest, metadata, weights };
}
