// The data of a run: reads, checks and preprocesses every case of its splits once.

import { furtherMetrics } from '../config/metrics.js';
import { type Experiment } from '../config/schema.js';
import { hasFolds } from '../config/splits.js';
import { windowSize } from '../config/window.js';
import { type LabelTargets, type VolumeSize } from '../engine/engine.js';
import { type TrainingRanges } from '../model/model.js';
import { sha256 } from '../sha256.js';
import { type CaseFacts, type CaseSource } from './case.js';
import { countWarnings } from './count-warnings.js';
import { type SplitCutOff, cutOffParts, cutOffWarning } from './cut-off.js';
import { differences } from './differences.js';
import { fitNormalisation } from './fit.js';
import { requireUnchanged } from './inspect/record.js';
import { labelIndices, labelTargets, othersWarning, withIgnore } from './labels.js';
import { listCases } from './layouts/index.js';
import { type Listing } from './layouts/layout.js';
import { throwAll } from './layouts/pairing.js';
import { type FittedNormalisation, type PerChannel, isFitted } from './normalise.js';
import { phantomId } from './phantoms/index.js';
import { type OriginalCase, readOriginal, stampsOf } from './original.js';
import { type PrepareOptions } from './prepare.js';
import { type Box, type Extent, keptBox, volumeSize } from './preprocess.js';
import { trainingRanges } from './ranges.js';
import { foregroundWarning, requireFittingPatch } from './patches.js';
import { resampledSpacing, resamplingOf } from './resample.js';
import { type Split, chooseSplits, listedCases } from './split.js';
import { readCases } from './read-cases.js';
import { type Voxels, caseIn, voxelsNormalised } from './voxels.js';

/** A preprocessed dataset: its voxels are in memory, or, where networks see patches, in a file for each case. */
export interface Dataset extends Voxels {
  /** Ids of the cases that a split uses, sorted; no other cases are read. */
  readonly ids: readonly string[];
  /** By split: the normalisation of the channels, with the constants that were fitted on its training cases. */
  readonly normalisation: ReadonlyMap<string, PerChannel<FittedNormalisation>>;
  /** The part of a preprocessed case that is no padding; throws a RangeError if there is none. */
  readonly kept: (id: string) => Box;
  /** What a network sees: a whole case, or a patch of this size. */
  readonly size: VolumeSize;
  /** The mm along x, y, z between the voxels of a preprocessed case; throws a RangeError if there is none. */
  readonly spacing: (id: string) => Extent;
  /** Whether preprocessing leaves a case the grid on which it is stored, apart from the order of its axes. */
  readonly keepsGrid: (id: string) => boolean;
  /** Reads a case again, as it is stored. Rejects like `readOriginal`; throws a RangeError if there is none. */
  readonly original: (id: string) => Promise<OriginalCase>;
  /** Names of the input channels, in order. */
  readonly channels: readonly string[];
  /** Names of the labels in the order of the network outputs. */
  readonly outputs: readonly string[];
  readonly targets: LabelTargets;
  /** The label index of voxels that are left out of loss and measures, if there is one. */
  readonly ignored: number | undefined;
  /** Splits by name; `default` if the config has one unnamed split. */
  readonly splits: ReadonlyMap<string, Split>;
  /**
   * By split: SHA-256 of everything that a network can see: ids of training, validation and test cases, preprocessed voxels,
   * meaning of the labels, fitted constants. Without paths, times and cases of other splits. With spacings of the test cases
   * if the config has metrics besides Dice.
   */
  readonly hashes: ReadonlyMap<string, string>;
  /** If the splits are folds: the same of the cases of all folds, without fitted constants. */
  readonly foldsHash?: string | undefined;
  /** By split: labelled voxels that cropping removed. */
  readonly cutOff: ReadonlyMap<string, SplitCutOff>;
  /** By split: ranges of its training cases before preprocessing. */
  readonly ranges: ReadonlyMap<string, TrainingRanges>;
  /** Warnings: each kind of oddity once, with a count. */
  readonly warnings: readonly string[];
}

/**
 * Lists, reads, checks and preprocesses the cases that the splits of an experiment use, or reads them from the cache of
 * an earlier start. Throws a UserError of kind `data` that names all bad files.
 */
export async function loadDataset(asked: Experiment, options: PrepareOptions = {}): Promise<Dataset> {
  const { listing, splits, sources } = await listDataset(asked);
  const { config, note } = withIgnore(asked, listing);
  const { dataset, preprocessing } = config;
  // Before any file is read: what changes meanwhile is noticed.
  const stamps = await stampsOf(sources);
  const { cases, warning, voxels } = await readCases(sources, config, options);
  const channels = checkChannels(cases, dataset, listing);
  const indices = labelIndices(dataset);
  const unused = checkPresence(splits, cases, indices, dataset.labels);
  requireFittingPatch(splits, cases, config);
  const origins = new Map(sources.map((source) => [source.id, source]));
  const sizes = new Map(cases.map(({ id, size }) => [id, size]));
  const grids = new Map(
    cases.map(({ id, size, spacing }) => [id, resamplingOf(size, spacing, preprocessing).to]),
  );
  const spacings = new Map(
    cases.map((found) => [found.id, spacingOf(found, caseIn(grids, found.id), preprocessing)]),
  );
  const normalisation = new Map(
    [...splits].map(([name, { train }]) => [name, fitOn(name, train, cases, config)]),
  );
  return {
    ids: cases.map(({ id }) => id),
    ...voxels,
    size: volumeSize(windowSize(config)),
    normalisation,
    kept: (id) => keptBox(caseIn(grids, id), preprocessing.size ?? caseIn(grids, id)),
    spacing: (id) => caseIn(spacings, id),
    keepsGrid: (id) =>
      [caseIn(grids, id), voxels.grid(id)].every((size) => size.join() === caseIn(sizes, id).join()),
    original: (id) => readOriginal(caseIn(origins, id), config, stamps),
    channels,
    outputs: Object.keys(dataset.labels),
    targets: labelTargets(dataset.labels, indices),
    ignored: dataset.ignore === undefined ? undefined : indices.get(dataset.ignore),
    splits,
    hashes: new Map(
      [...splits].map(([name, split]) => [
        name,
        hashOf(split, cases, spacings, normalisation.get(name), config),
      ]),
    ),
    foldsHash: hasFolds(config) ? hashOf(allAsTest(cases), cases, spacings, undefined, config) : undefined,
    cutOff: new Map([...splits].map(([name, split]) => [name, cutOffParts(split, cases)])),
    ranges: new Map([...splits].map(([name, { train }]) => [name, trainingRanges(train, cases)])),
    warnings: [
      ...(listing?.warnings ?? []),
      ...note,
      ...warning,
      ...unused,
      ...differences(cases, preprocessing),
      ...othersWarning(cases),
      ...cutOffWarning(cases),
      ...countWarnings(cases),
      ...foregroundWarning(splits, cases, config),
    ],
  };
}

/** The mm between voxels of a case after preprocessing. */
function spacingOf(
  { size, spacing }: Pick<CaseFacts, 'size' | 'spacing'>,
  grid: Extent,
  { spacing: wanted }: Experiment['preprocessing'],
): Extent {
  return wanted === undefined ? spacing : resampledSpacing(size, spacing, grid);
}

/** The normalisation of a split, fitted on its training cases. */
function fitOn(
  split: string,
  train: readonly string[],
  cases: readonly CaseFacts[],
  { preprocessing }: Experiment,
): PerChannel<FittedNormalisation> {
  const known = new Map(cases.map((prepared) => [prepared.id, prepared]));
  const training = train.map((id) => known.get(id) as CaseFacts);
  return fitNormalisation(preprocessing.normalisation, training, split);
}

/** The dataset as the networks of a split see it: see `voxelsNormalised`. */
export function inSplit(dataset: Dataset, split: string): Dataset {
  const normalisation = dataset.normalisation.get(split) as PerChannel<FittedNormalisation>;
  const voxels = voxelsNormalised(dataset, normalisation, dataset.kept);
  return voxels === dataset ? dataset : { ...dataset, ...voxels };
}

/**
 * Checks the data of an experiment without reading volumes: cases, labels and splits. Throws a UserError of kind `data` like
 * `loadDataset`. Returns warnings.
 */
export async function checkDataset(config: Experiment): Promise<readonly string[]> {
  return (await listDataset(config)).listing?.warnings ?? [];
}

/** The cases of every split of an experiment, found without reading volumes. Throws like `checkDataset`. */
export async function listSplits(config: Experiment): Promise<ReadonlyMap<string, Split>> {
  return (await listDataset(config)).splits;
}

async function listDataset(config: Experiment): Promise<{
  readonly listing: Listing | undefined;
  readonly splits: ReadonlyMap<string, Split>;
  /** The sources of the cases that a split uses. */
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
  // Before any volume is read, so that an impossible split is reported at once, and only cases that it uses are read.
  const splits = chooseSplits(listing?.ids ?? known.map(({ id }) => id), config);
  const used = new Set(
    [...splits.values()].flatMap(({ train, validation, test }) => [...train, ...validation, ...test]),
  );
  const background =
    dataset.others === 'described' && listing?.labels ? [...listing.labels.names.keys()] : [];
  const sources = known
    .filter(({ id }) => used.has(id))
    .map((source): CaseSource => ('kind' in source ? source : { ...source, background }));
  if (dataset.inspected !== undefined)
    await requireUnchanged(
      dataset.inspected,
      dataset.root as string,
      sources.filter((source) => 'images' in source),
    );
  return { listing, splits, sources };
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

/** Checks that the dataset describes the label values of the config, if it describes labels. */
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

/** Checks that all cases have the channels that config or dataset name, else as many as the first. Returns their names. */
function checkChannels(
  cases: readonly CaseFacts[],
  dataset: Experiment['dataset'],
  listing: Listing | undefined,
): readonly string[] {
  const named = dataset.channels ? { names: dataset.channels, key: 'dataset.channels' } : listing?.channels;
  const expected = named?.names.length ?? (cases[0] as CaseFacts).channels;
  const why = named ? `${named.key} names ${expected}` : `${cases[0]?.id} has ${expected}`;
  throwAll(
    cases
      .filter(({ channels }) => channels !== expected)
      .map(({ id, channels }) => `${id}: found ${channels} channel${channels > 1 ? 's' : ''}, but ${why}`),
  );
  return named?.names ?? Array.from({ length: expected }, (_, i) => `channel ${i}`);
}

/**
 * Throws for a label that no training case contains, since it cannot be learnt. Returns a warning for a value that occurs
 * nowhere but is merged into a label with other values.
 */
function checkPresence(
  splits: ReadonlyMap<string, Split>,
  cases: readonly CaseFacts[],
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

const allAsTest = (cases: readonly CaseFacts[]): Split => ({
  train: [],
  validation: [],
  test: cases.map(({ id }) => id),
});

function hashOf(
  split: Split,
  cases: readonly CaseFacts[],
  spacings: ReadonlyMap<string, Extent>,
  normalisation: PerChannel<FittedNormalisation> | undefined,
  config: Experiment,
): string {
  const { dataset, preprocessing, metrics } = config;
  const known = new Map(
    cases.map(({ id, channels, digest, grid }) => [
      id,
      // Where a size is configured, it is the grid of every case.
      [id, channels, digest, ...(preprocessing.size ? [] : [grid])],
    ]),
  );
  const content = [split.train, split.validation, split.test].map((ids) => ids.map((id) => known.get(id)));
  // Distances depend on the spacing, which a network does not see.
  const measured = furtherMetrics({ metrics }).length > 0 && {
    spacings: split.test.map((id) => spacings.get(id)),
  };
  return sha256(
    JSON.stringify([
      Object.entries(dataset.labels),
      windowSize(config),
      content,
      ...(dataset.ignore === undefined ? [] : [{ ignore: dataset.ignore }]),
      ...(measured ? [measured] : []),
      // Voxels are stored before these constants are applied.
      ...([normalisation].flat().some((how) => how && isFitted(how)) ? [{ normalisation }] : []),
    ]),
  );
}
