// Checks that patches of the configured size can be cut out of the cases.

import { type Experiment } from '../config/schema.js';
import { sizeMultiple } from '../config/window.js';
import { UserError } from '../errors.js';
import { type CaseFacts } from './case.js';
import { type Split } from './split.js';

type Splits = ReadonlyMap<string, Split>;

/**
 * Throws a UserError of kind `usage` if, along an axis, patches are longer than every training case of a split, beyond what
 * rounding up to a multiple for the levels needs. A patch of a smaller case is padded.
 */
export function requireFittingPatch(
  splits: Splits,
  cases: readonly CaseFacts[],
  { models, training }: Pick<Experiment, 'models' | 'training'>,
): void {
  const { patch } = training;
  if (patch === undefined) return;
  const { multiple } = sizeMultiple(models);
  for (const { train } of splits.values()) {
    const wanted = new Set(train);
    const grids = cases.filter(({ id }) => wanted.has(id)).map(({ grid }) => grid);
    for (const axis of [0, 1, 2] as const) {
      const longest = Math.max(...grids.map((grid) => grid[axis]));
      const most = Math.ceil(longest / multiple) * multiple;
      if (patch.size[axis] > most)
        throw new UserError(
          'usage',
          `training.patch.size.${axis}: found ${patch.size[axis]} voxels along ${'xyz'[axis]}, but the longest training case ` +
            `has ${longest} after resampling, expected at most ${most}`,
        );
    }
  }
}

/** A warning about training cases without any labelled voxel: their patches lie at random places. */
export function foregroundWarning(
  splits: Splits,
  cases: readonly CaseFacts[],
  { training: { patch } }: Pick<Experiment, 'training'>,
): string[] {
  if (patch === undefined || patch.foreground === 0) return [];
  const train = new Set([...splits.values()].flatMap((split) => split.train));
  const empty = cases.filter(
    ({ id, labelled }) => train.has(id) && labelled.kept.slice(1).every((n) => n === 0),
  );
  const [first, ...more] = empty;
  if (first === undefined) return [];
  const others = more.length > 0 ? ` and ${more.length} more case${more.length > 1 ? 's' : ''}` : '';
  return [
    `${first.id}${others}: found no label, so none of their patches is centred on one (training.patch.foreground)`,
  ];
}
