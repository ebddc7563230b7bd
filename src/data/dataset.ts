// Everything a run needs of its data: every case of its splits read, checked and preprocessed once, and the splits.

import { cacheFolder } from '../cache-folder.js';
import { type Experiment } from '../config/schema.js';
import { type LabelTargets, type Sample, type VolumeSize } from '../engine/engine.js';
import { fsReason } from '../fs-reason.js';
import { type TrainingRanges } from '../model/model.js';
import { sha256 } from '../sha256.js';
import { cacheKey, readCache, writeCache } from './cache.js';
import { type CaseSource, type PreparedCase, sampleOf } from './case.js';
import { type SplitCutOff, cutOffParts, cutOffWarning } from './cut-off.js';
import { differences } from './differences.js';
import { labelIndices, labelTargets, othersWarning } from './labels.js';
import { listCases } from './layouts/index.js';
import { type Listing } from './layouts/layout.js';
import { throwAll } from './layouts/pairing.js';
import { phantomId } from './phantoms/index.js';
import { type PrepareOptions, prepareCases } from './prepare.js';
import { volumeSize } from './preprocess.js';
import { trainingRanges } from './ranges.js';
import { type Split, chooseSplit, listedCases } from './split.js';

/** A preprocessed dataset in memory. */
export interface Dataset {
  /** The cases that some split uses, sorted; no others are read. */
  readonly ids: readonly string[];
  /** A case by its id; throws a RangeError if there is none. */
  readonly sample: (id: string) => Sample;
  readonly size: VolumeSize;
  /** Names of the input channels, in order. */
  readonly channels: readonly string[];
  /** Names of the labels in the order of the network's outputs. */
  readonly outputs: readonly string[];
  readonly targets: LabelTargets;
  /** By name; `default` where the config has a single split. */
  readonly splits: ReadonlyMap<string, Split>;
  /**
   * By split: SHA-256 of what a network can see of it: case ids and their parts, preprocessed voxels, what the labels mean.
   * No paths, no times, no case that another split has.
   */
  readonly hashes: ReadonlyMap<string, string>;
  /** By split: labelled voxels that cropping left outside. */
  readonly cutOff: ReadonlyMap<string, SplitCutOff>;
  /** By split: what its training cases were like before preprocessing. */
  readonly ranges: ReadonlyMap<string, TrainingRanges>;
  /** What was odd but not wrong, each kind once with a count. */
  readonly warnings: readonly string[];
}

/**
 * Lists, reads, checks and preprocesses the cases that the splits of an experiment use, or takes them from the cache of
 * an earlier start. Throws a UserError of kind `data` that names every bad file at once.
 */
export async function loadDataset(config: Experiment, options: PrepareOptions = {}): Promise<Dataset> {
  const { dataset, preprocessing } = config;
  const { listing, splits, sources } = await listDataset(config);
  const { cases, warning } = await prepareOrReuse(sources, config, options);
  const channels = checkChannels(cases, dataset, listing);
  const indices = labelIndices(dataset.labels);
  const unused = checkPresence(splits, cases, indices, dataset.labels);
  const samples = new Map(cases.map((prepared) => [prepared.id, sampleOf(prepared)]));
  return {
    ids: cases.map(({ id }) => id),
    sample: (id) => {
      const sample = samples.get(id);
      if (sample === undefined) throw new RangeError(`no case ${id}`);
      return sample;
    },
    size: volumeSize(preprocessing.size),
    channels,
    outputs: Object.keys(dataset.labels),
    targets: labelTargets(dataset.labels, indices),
    splits,
    hashes: new Map([...splits].map(([name, split]) => [name, hashOf(split, cases, config)])),
    cutOff: new Map([...splits].map(([name, split]) => [name, cutOffParts(split, cases)])),
    ranges: new Map([...splits].map(([name, { train }]) => [name, trainingRanges(train, cases)])),
    warnings: [
      ...(listing?.warnings ?? []),
      ...warning,
      ...unused,
      ...differences(cases, preprocessing),
      ...othersWarning(cases),
      ...cutOffWarning(cases),
      ...countWarnings(cases),
    ],
  };
}

/**
 * What can be known of an experiment's data before any volume is read: its cases, labels and splits. Throws a UserError of
 * kind `data` as `loadDataset` does; what is in the volumes is not looked at. Returns what is odd.
 */
export async function checkDataset(config: Experiment): Promise<readonly string[]> {
  return (await listDataset(config)).listing?.warnings ?? [];
}

async function listDataset(config: Experiment): Promise<{
  readonly listing: Listing | undefined;
  readonly splits: ReadonlyMap<string, Split>;
  /** Of the cases that some split uses. */
  readonly sources: readonly CaseSource[];
}> {
  const { dataset } = config;
  const { wanted, followLinks } = { wanted: listedCases(config), followLinks: dataset.followLinks };
  const listing =
    dataset.layout === 'phantom'
      ? undefined
      : await listCases(dataset.layout, dataset.root as string, { wanted, followLinks });
  const known: readonly CaseSource[] = listing?.cases ?? phantomSources(dataset.phantom);
  checkLabelNames(dataset, listing);
  // Before any volume is read, so that a split that cannot be met is reported at once, and only what it uses is read.
  const splits = chooseSplits(listing?.ids ?? known.map(({ id }) => id), config);
  const used = new Set(
    [...splits.values()].flatMap(({ train, validation, test }) => [...train, ...validation, ...test]),
  );
  const background =
    dataset.others === 'described' && listing?.labels ? [...listing.labels.names.keys()] : [];
  const sources = known
    .filter(({ id }) => used.has(id))
    .map((source): CaseSource => ('kind' in source ? source : { ...source, background }));
  return { listing, splits, sources };
}

function chooseSplits(ids: readonly string[], { dataset }: Experiment): ReadonlyMap<string, Split> {
  if (dataset.splits === undefined)
    return new Map(dataset.split && [['default', chooseSplit(ids, dataset.split, 'dataset.split')]]);
  return new Map(
    Object.entries(dataset.splits).map(([name, split]) => [
      name,
      chooseSplit(ids, split, `dataset.splits.${name}`),
    ]),
  );
}

function phantomSources(settings: Experiment['dataset']['phantom']): CaseSource[] {
  return Array.from({ length: settings.cases }, (_, index) => ({
    id: phantomId(index, settings.cases),
    kind: settings.kind,
    size: settings.size,
    seed: settings.seed,
    index,
  }));
}

/** Cases of files come from the cache if they can; phantoms are generated, which needs no cache. */
async function prepareOrReuse(
  sources: readonly CaseSource[],
  config: Experiment,
  options: PrepareOptions,
): Promise<{ cases: PreparedCase[]; warning: string[] }> {
  const folder = cacheFolder();
  const files = sources.filter((source) => 'images' in source);
  if (files.length === 0 || folder === undefined)
    return { cases: await prepareCases(sources, config, options), warning: [] };
  const key = await cacheKey(files, config);
  const known = await readCache(folder, key, options.progress, options.signal);
  if (known) return { cases: known, warning: [] };
  const cases = await prepareCases(sources, config, options);
  try {
    await writeCache(folder, key, cases);
    return { cases, warning: [] };
  } catch (error) {
    const reason = fsReason(error);
    return {
      cases,
      warning: [`${folder}: the cache was not written: ${reason} (LUNET_CACHE=off does without)`],
    };
  }
}

/** The config's label values must be among those that the dataset describes, where it does. */
function checkLabelNames({ labels }: Experiment['dataset'], listing: Listing | undefined): void {
  const known = listing?.labels;
  if (known === undefined) return;
  const list = [...known.names].filter(([value]) => value !== 0).map(([value, name]) => `${value} (${name})`);
  throwAll(
    Object.entries(labels).flatMap(([label, values]) =>
      [values]
        .flat()
        .filter((value) => !known.names.has(value))
        .map((value) => `dataset.labels.${label}: found ${value}, but ${known.key} has ${list.join(', ')}`),
    ),
  );
}

/** All cases must have the channels that the config or the dataset names, or as many as the first. Returns their names. */
function checkChannels(
  cases: readonly PreparedCase[],
  dataset: Experiment['dataset'],
  listing: Listing | undefined,
): readonly string[] {
  const named = dataset.channels ? { names: dataset.channels, key: 'dataset.channels' } : listing?.channels;
  const expected = named?.names.length ?? (cases[0] as PreparedCase).channels;
  const why = named ? `${named.key} names ${expected}` : `${cases[0]?.id} has ${expected}`;
  throwAll(
    cases
      .filter(({ channels }) => channels !== expected)
      .map(({ id, channels }) => `${id}: found ${channels} channel${channels > 1 ? 's' : ''}, but ${why}`),
  );
  return named?.names ?? Array.from({ length: expected }, (_, i) => `channel ${i}`);
}

/**
 * A label that no training case shows cannot be learnt: an error. A value that occurs nowhere but is merged into a label
 * with others is returned as a warning.
 */
function checkPresence(
  splits: ReadonlyMap<string, Split>,
  cases: readonly PreparedCase[],
  indices: ReadonlyMap<number, number>,
  labels: Experiment['dataset']['labels'],
): string[] {
  const kept = new Map(cases.map(({ id, labelled }) => [id, labelled.kept]));
  const countIn = (ids: readonly string[], values: readonly number[]): number =>
    ids.filter((id) => values.some((value) => (kept.get(id)?.[indices.get(value) as number] ?? 0) > 0))
      .length;
  const all = cases.map(({ id }) => id);
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [label, merged] of Object.entries(labels)) {
    const values = [merged].flat();
    for (const [name, { train }] of splits)
      if (countIn(train, values) === 0)
        problems.push(
          `dataset.labels.${label}: found no voxel of value ${values.join(' or ')} in the ${train.length} training ` +
            `cases of split ${name} (in all ${all.length} cases: ${countIn(all, values)}), so it cannot be learnt`,
        );
    for (const value of values)
      if (countIn(all, [value]) === 0)
        warnings.push(`dataset.labels.${label}: no case has the value ${value}`);
  }
  throwAll(problems);
  return warnings;
}

function hashOf(
  split: Split,
  cases: readonly PreparedCase[],
  { dataset, preprocessing }: Experiment,
): string {
  const known = new Map(cases.map(({ id, channels, digest }) => [id, [id, channels, digest]]));
  const content = [split.train, split.validation, split.test].map((ids) => ids.map((id) => known.get(id)));
  return sha256(JSON.stringify([Object.entries(dataset.labels), preprocessing.size, content]));
}

function countWarnings(cases: readonly PreparedCase[]): string[] {
  const ids = new Map<string, string[]>();
  for (const { id, warnings } of cases)
    for (const warning of new Set(warnings)) ids.set(warning, [...(ids.get(warning) ?? []), id]);
  return [...ids].map(
    ([warning, [first, ...more]]) =>
      `${first}${more.length > 0 ? ` and ${more.length} more case${more.length > 1 ? 's' : ''}` : ''}: ${warning}`,
  );
}
