// Fills in the defaults of an experiment that follow from its other keys, so that what is printed and recorded says
// everything.

import { expandHome } from '../home-folder.js';
import { firstFullUnet, modelName } from './models.js';
import { type DeclaredExperiment, type Experiment, experimentSchema } from './schema.js';

/** An experiment that passed all checks, with nothing left open. Resolving twice changes nothing. */
export function resolveExperiment(declared: DeclaredExperiment): Experiment {
  const { output, dataset, models, training, pruning, retraining } = declared;
  const filled = {
    ...declared,
    output: expandHome(output),
    dataset: { ...dataset, ...(dataset.root !== undefined && { root: expandHome(dataset.root) }) },
    models: models.map((model) => ({ ...model, name: modelName(model) })),
    pruning: {
      ...pruning,
      model: pruning.model ?? modelName(firstFullUnet(models)),
      dropout: { ...pruning.dropout, initial: pruning.dropout.initial ?? pruning.dropout.base / 10 },
    },
    retraining: {
      ...retraining,
      strategies: retraining.strategies ?? pruning.strategies,
      snapshots: retraining.snapshots ?? pruning.snapshots,
      epochs: retraining.epochs ?? training.epochs,
    },
  };
  // Once more through the schema, for its order of keys.
  return experimentSchema.parse(filled) as Experiment;
}
