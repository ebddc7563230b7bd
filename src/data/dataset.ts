// Everything a run needs of its data: every case read, checked and preprocessed once, and the splits.

import { createHash } from 'node:crypto';
import { type Experiment } from '../config/schema.js';
import { type LabelTargets, type Sample, type VolumeSize } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { labelIndices, labelTargets } from './labels.js';
import { layouts } from './layouts/index.js';
import { throwAll } from './layouts/pairing.js';
import { generatePhantom } from './phantoms/index.js';
import { prepareCase, readCase } from './case.js';
import { volumeSize } from './preprocess.js';
import { type Split, chooseSplit } from './split.js';

/** A preprocessed data set in memory. */
export interface Dataset {
  /** All case ids, sorted. */
  readonly ids: readonly string[];
  /** A case by its id; throws a RangeError if there is none. */
  readonly sample: (id: string) => Sample;
  readonly size: VolumeSize;
  readonly inputChannels: number;
  /** Names of the labels in the order of the network's outputs. */
  readonly outputs: readonly string[];
  readonly targets: LabelTargets;
  /** By name; `default` where the config has a single split. */
  readonly splits: ReadonlyMap<string, Split>;
  /** SHA-256 of what the network can see: case ids, preprocessed voxels, labels. */
  readonly hash: string;
  /** What was odd but not wrong, each kind once with a count. */
  readonly warnings: readonly string[];
}

export interface LoadOptions {
  /** Called after each case. */
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

// Files read at once; inflating runs on the thread pool, decoding between.
const AT_ONCE = 8;

/**
 * Lists, reads, checks and preprocesses all cases of an experiment. Throws a UserError of kind `data` that names every
 * bad file at once.
 */
export async function loadDataset(config: Experiment, options: LoadOptions = {}): Promise<Dataset> {
  const { dataset, preprocessing } = config;
  const indices = labelIndices(dataset.labels);
  const listing =
    dataset.layout === 'phantom' ? undefined : await layouts[dataset.layout](dataset.root as string);
  const ids = listing
    ? listing.cases.map(({ id }) => id)
    : Array.from({ length: dataset.phantom.cases }, (_, i) => `phantom_${String(i + 1).padStart(3, '0')}`);
  // Before any volume is read, so that a split that cannot be met is reported at once.
  const splits = new Map(
    dataset.splits
      ? Object.entries(dataset.splits).map(([name, split]) => [
          name,
          chooseSplit(ids, split, `dataset.splits.${name}`),
        ])
      : dataset.split && [['default', chooseSplit(ids, dataset.split, 'dataset.split')]],
  );
  const samples = new Map<string, Sample>();
  const problems: string[] = [];
  const warned = new Map<string, { count: number; first: string }>();
  let channels = dataset.channels?.length;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < ids.length; index = next++) {
      options.signal?.throwIfAborted();
      const id = ids[index] as string;
      try {
        const raw = listing
          ? await readCase(listing.cases[index] as (typeof listing.cases)[number], config)
          : generatePhantom({ ...dataset.phantom, index });
        channels ??= raw.channels;
        if (raw.channels !== channels)
          throw new UserError('data', `${id}: found ${raw.channels} channels, expected ${channels}`);
        const prepared = prepareCase(raw, indices, preprocessing);
        samples.set(id, prepared.sample);
        for (const warning of [...raw.warnings, ...prepared.warnings]) {
          const known = warned.get(warning) ?? { count: 0, first: id };
          warned.set(warning, { ...known, count: known.count + 1 });
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
      }
      options.progress?.(samples.size + problems.length, ids.length);
      // Gives signals and timers a turn between cases.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  problems.sort();
  throwAll('dataset', problems);
  checkTraining(splits, samples, indices, dataset.labels);
  const hash = createHash('sha256').update(JSON.stringify([dataset.labels, preprocessing.size]));
  for (const id of ids) {
    const { image, label } = samples.get(id) as Sample;
    hash.update(id).update(image).update(label);
  }
  return {
    ids,
    sample: (id) => {
      const sample = samples.get(id);
      if (sample === undefined) throw new RangeError(`no case ${id}`);
      return sample;
    },
    size: volumeSize(preprocessing.size),
    inputChannels: channels ?? 1,
    outputs: Object.keys(dataset.labels),
    targets: labelTargets(dataset.labels, indices),
    splits,
    hash: hash.digest('hex'),
    warnings: [
      ...(listing?.warnings ?? []),
      ...[...warned].map(
        ([text, { count, first }]) => `${first}${count > 1 ? ` and ${count - 1} more` : ''}: ${text}`,
      ),
    ],
  };
}

/** A label that no training case shows cannot be learnt. */
function checkTraining(
  splits: ReadonlyMap<string, Split>,
  samples: ReadonlyMap<string, Sample>,
  indices: ReadonlyMap<number, number>,
  labels: Experiment['dataset']['labels'],
): void {
  const problems: string[] = [];
  for (const [name, { train }] of splits) {
    const present = new Set<number>();
    for (const id of train)
      for (const index of new Set((samples.get(id) as Sample).label)) present.add(index);
    for (const [label, values] of Object.entries(labels))
      if (![values].flat().some((value) => present.has(indices.get(value) as number)))
        problems.push(
          `split ${name}: label ${label} (${[values].flat().join(', ')}) is in none of the ${train.length} training cases`,
        );
  }
  throwAll('dataset', problems);
}
