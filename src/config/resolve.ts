// Fills in the defaults that depend on other keys, so that printed and recorded configs are complete.

import { expandHome } from '../home-folder.js';
import { firstFullUnet, modelName } from './models.js';
import { type DeclaredExperiment, type Experiment, experimentSchema } from './schema.js';

/** A checked experiment with all defaults filled in. Resolving twice changes nothing. */
export function resolveExperiment(declared: DeclaredExperiment): Experiment {
  const { output, dataset, models, training, pruning, retraining } = declared;
  const filled = {
    ...declared,
    output: expandHome(output),
    dataset: {
      ...dataset,
      ...(dataset.root !== undefined && { root: expandHome(dataset.root) }),
      ...(dataset.inspected !== undefined && { inspected: expandHome(dataset.inspected) }),
    },
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
  // Parsed again to get the key order of the schema.
  return experimentSchema.parse(filled) as Experiment;
}
