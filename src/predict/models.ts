// Finds the models of an ensemble that the command line names, and checks them against each other.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_INFERENCE, type Inference, MAX_OVERLAP } from '../config/inference.js';
import { suggestion } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { type Axis, type ModelDescription } from '../model/model.js';
import { shippedModelPath, shippedModels } from '../model/shipped.js';
import { type OpenedModel } from '../runs/network-file.js';
import { isFolder, openModel } from '../runs/open-model.js';

/** A model file, the folder of a run, or the name of a shipped model. Throws a UserError of kind `usage` or `data`. */
export function findModel(argument: string): OpenedModel {
  if (isFolder(argument) ? existsSync(join(argument, 'run.json')) : existsSync(argument))
    return openModel(argument);
  const names = shippedModels();
  if (names.includes(argument)) return openModel(shippedModelPath(argument));
  if (isFolder(argument)) return openModel(argument);
  const shipped =
    names.length > 0 ? `, or a shipped one: ${names.join(', ')}${suggestion(argument, names)}` : '';
  throw new UserError(
    'usage',
    `${argument}: no such file or folder; expected a model (model.safetensors), the folder of a run${shipped}`,
  );
}

/** Throws a UserError of kind `usage` if the models differ in channels, preprocessing or outputs. */
export function requireAgreement(models: readonly OpenedModel[]): void {
  const [first, ...others] = models as readonly [OpenedModel, ...OpenedModel[]];
  const facts: [string, (model: ModelDescription) => unknown][] = [
    ['outputs', ({ outputs }) => outputs],
    ['channels', ({ channels }) => channels],
    ['preprocessing.size', ({ preprocessing }) => preprocessing.size],
    ['preprocessing.spacing', ({ preprocessing }) => preprocessing.spacing],
    ['preprocessing.antialias', ({ preprocessing }) => preprocessing.antialias ?? false],
    ['preprocessing.anisotropic', ({ preprocessing }) => preprocessing.anisotropic ?? false],
    ['preprocessing.normalisation', ({ preprocessing }) => preprocessing.normalisation],
    ['preprocessing.orientation', ({ preprocessing }) => preprocessing.orientation],
  ];
  for (const { model, path } of others)
    for (const [key, fact] of facts) {
      const [here, there] = [model, first.model].map((each) => JSON.stringify(fact(each)) ?? 'none');
      if (here !== there)
        throw new UserError(
          'usage',
          `${path}: ${key}: found ${here}, but ${first.path} has ${there}; models of an ensemble must agree`,
        );
    }
}

/** Options of the command line; undefined ones are taken from the models. */
export interface Wish {
  readonly overlap?: number | undefined;
  readonly mirror?: boolean | undefined;
}

/**
 * The overlap and mirroring of the windows of an ensemble. Throws a UserError of kind `usage` for an impossible overlap, for
 * mirroring without a mirrored axis, and if the models differ.
 */
export function inferenceOf(models: readonly OpenedModel[], { overlap, mirror }: Wish): Inference {
  if (overlap !== undefined && !(overlap >= 0 && overlap <= MAX_OVERLAP))
    throw new UserError('usage', `overlap: found ${overlap}, expected a number from 0 to ${MAX_OVERLAP}`);
  const common = <K extends keyof Inference>(key: K): Inference[K] => {
    const [first, ...others] = models.map(({ model, path }) => ({
      path,
      value: (model.inference ?? DEFAULT_INFERENCE)[key],
    })) as [{ path: string; value: Inference[K] }, ...{ path: string; value: Inference[K] }[]];
    for (const { path, value } of others)
      if (JSON.stringify(value) !== JSON.stringify(first.value))
        throw new UserError(
          'usage',
          `${path}: inference.${key}: found ${JSON.stringify(value)}, but ${first.path} has ${JSON.stringify(first.value)}; ` +
            `say which with ${key === 'mirror' ? '--mirror or --no-mirror' : '--overlap'}`,
        );
    return first.value;
  };
  return {
    overlap: overlap ?? common('overlap'),
    mirror: mirror === undefined ? common('mirror') : mirror ? mirroredAxes(models) : [],
  };
}

/** The axes along which all models were mirrored in training. Throws a UserError of kind `usage` if there is none. */
function mirroredAxes(models: readonly OpenedModel[]): Axis[] {
  const axes = (['x', 'y', 'z'] as const).filter((axis) =>
    models.every(({ model }) => model.mirror.includes(axis)),
  );
  if (axes.length === 0)
    throw new UserError(
      'usage',
      '--mirror: found models that were not mirrored along any axis in training, where mirroring makes results worse; ' +
        'leave it out',
    );
  return axes;
}
