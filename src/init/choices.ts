// Chooses the settings of an experiment from the facts about its data, and says why.

import { type DatasetFacts } from '../data/inspect/dataset-facts.js';
import { summariseLabels } from '../data/inspect/summary.js';
import { UserError } from '../errors.js';
import { type Choice } from './choice.js';
import { type DatasetDescription } from './description.js';
import { LEAST_AT_BOTTOM } from './geometry.js';
import { type ChosenLabels, chooseLabels } from './labels.js';
import { chooseNormalisation, chooseResampling } from './preprocessing.js';
import { type Machine, chooseWindow } from './window.js';

/** How the experiment names the data and the record of the inspection. */
export interface Places {
  readonly root: string;
  readonly inspected: string;
}

const FOLDS = 5;
/** With more cases than this, a part of them says enough about a network. */
const FEW_CASES = 100;
/** Chooses all settings. Throws a UserError of kind `data` if the data are too few to train on. */
export function chooseSettings(
  facts: DatasetFacts,
  description: DatasetDescription,
  places: Places,
  machine: Machine,
): Choice[] {
  const { cases } = facts;
  if (cases.length < 2)
    throw new UserError(
      'data',
      `${facts.root}: found ${cases.length} case, expected at least 2: to train, and to test`,
    );
  const labels = chooseLabels(summariseLabels(cases, facts.labels), description);
  if (Object.keys(labels.outputs).length === 0)
    throw new UserError(
      'data',
      `${facts.root}: found no labelled voxel in ${cases.length} cases, expected labels to learn`,
    );
  const split = chooseSplit(facts, description);
  const resampling = chooseResampling(cases);
  const window = chooseWindow(
    {
      cases,
      spacing: resampling.spacing,
      channels: facts.channels.length,
      outputs: Object.keys(labels.outputs).length,
      train: split.train,
    },
    machine,
  );
  return [
    {
      path: ['experiment'],
      value: description.name,
      why: 'the name of the folder; results are in runs/ under this name',
    },
    ...datasetChoices(facts, description, places, labels),
    split.choice,
    ...window.size,
    ...resampling.choices,
    ...chooseNormalisation(facts),
    {
      path: ['models'],
      value: window.models,
      why:
        `the lean network and the usual one; ${window.levels} levels leave at least ${LEAST_AT_BOTTOM} voxels along each axis ` +
        'at the lowest',
    },
    ...window.training,
    {
      path: ['pruning'],
      value: { strategies: ['widest'], recoveryEpochs: 1, snapshots: [75, 50, 25] },
      why: 'for lunet prune: channels of the widest block go first, one after each epoch',
    },
  ];
}

function datasetChoices(
  { layout, channels, channelsNamed }: DatasetFacts,
  { licence }: DatasetDescription,
  { root, inspected }: Places,
  labels: ChosenLabels,
): Choice[] {
  const at = (key: string, value: unknown, why: string): Choice => ({ path: ['dataset', key], value, why });
  return [
    at('layout', layout, 'as the files are arranged'),
    at('root', root, 'the folder of the dataset'),
    at('inspected', inspected, 'digests of all files: training tells if one was changed since'),
    ...(channelsNamed || channels.length === 1
      ? []
      : [
          at(
            'channels',
            channels.map(({ name }) => name),
            'one file, or one volume of a file, each; give them names',
          ),
        ]),
    at('labels', labels.outputs, labels.why),
    ...(labels.others.length > 0
      ? [
          at(
            'others',
            'background',
            `label values without an output are background: ${labels.others.join(', ')}`,
          ),
        ]
      : []),
    ...(licence === undefined
      ? []
      : [at('licence', licence, 'as dataset.json says; it is stored in trained models')]),
  ];
}

/** The split, and about how many cases it trains on. */
function chooseSplit(
  { cases }: DatasetFacts,
  { foldsFile }: DatasetDescription,
): { readonly choice: Choice; readonly train: number } {
  const path = ['dataset', 'split'];
  if (foldsFile !== undefined)
    return {
      choice: { path, value: { file: foldsFile }, why: "nnU-Net's folds, which are beside the data" },
      train: Math.floor((cases.length * (FOLDS - 1)) / FOLDS),
    };
  if (cases.length >= FOLDS && cases.length <= FEW_CASES)
    return {
      choice: {
        path,
        value: { folds: FOLDS, seed: 0 },
        why:
          `few cases: every one of them is tested once, by one of ${FOLDS} folds. Several scans of a patient? ` +
          'Then set dataset.groups',
      },
      train: cases.length - Math.ceil(cases.length / FOLDS),
    };
  const test = Math.max(1, Math.round(cases.length / 4));
  return {
    choice: {
      path,
      value: { train: cases.length - test, test, seed: 0 },
      why: 'a quarter of the cases for testing. Several scans of a patient? Then set dataset.groups',
    },
    train: cases.length - test,
  };
}
