// Names and architectures of the models of a config.

import { type Architecture, buildArchitecture } from '../network/architecture.js';
import { type Experiment, type ModelConfig } from './schema.js';

/** The name of a model and of its results: the configured name, else `unet-n4`, or `unet-n4-50` for half the width. */
export function modelName(model: ModelConfig): string {
  if (model.name !== undefined) return model.name;
  if (model.family === 'explicit') throw new Error('an explicit model has a name');
  const scale = model.scale === 1 ? '' : `-${Number((model.scale * 100).toFixed(1))}`;
  return `${model.family}-n${model.n}${scale}${model.skips ? '' : '-noskips'}`;
}

/** The architecture of a model for data with this number of input channels and labels. */
export function modelArchitecture(model: ModelConfig, inputChannels: number, labels: number): Architecture {
  if (model.family !== 'explicit') return buildArchitecture(model, inputChannels, labels);
  const { encoder, decoder, up, skips } = model;
  return { inputChannels, labels, skips, encoder, decoder, up };
}

/** The number of input channels that the config names; 1 if it names none. */
export function inputChannels({ dataset }: Experiment): number {
  return dataset.channels?.length ?? 1;
}

/** The architecture of a model for the channels and labels that the config names. */
export function configuredArchitecture(config: Experiment, model: ModelConfig): Architecture {
  return modelArchitecture(model, inputChannels(config), Object.keys(config.dataset.labels).length);
}

/** The model of that name, if the experiment has it. */
export function findModel({ models }: Experiment, name: string): ModelConfig | undefined {
  return models.find((model) => modelName(model) === name);
}

/** The model that is pruned. */
export function prunedModel(config: Experiment): ModelConfig {
  return findModel(config, config.pruning.model) as ModelConfig;
}

/** The first full-width unet, else the first model: the default for pruning and for comparisons. */
export function firstFullUnet(models: readonly ModelConfig[]): ModelConfig {
  return models.find((model) => model.family === 'unet' && model.scale === 1) ?? (models[0] as ModelConfig);
}
