// The models of a method of an experiment, one for each seed.

import { join } from 'node:path';
import { suggestion } from '../config/suggest.js';
import { hasFolds } from '../config/splits.js';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { collectRuns } from '../experiment/collect.js';
import { snapshotFile } from '../runs/folders.js';
import { type OpenedModel } from '../runs/network-file.js';
import { openModel } from '../runs/open-model.js';

/** Which runs of a method to take. */
export interface MethodSelection {
  readonly seeds?: readonly number[] | undefined;
  readonly split?: string | undefined;
}

/** A percentage of the channels along a pruning run, in the form of the tables: `widest 50%`. */
const SNAPSHOT = /^(.+) (\d+(?:\.\d+)?)%$/;

/**
 * The models of the finished runs of a method: of a trained model (`lunet-n4`), of the end (`widest`) or a snapshot (`widest 50%`)
 * of a pruning run, or of a retrained network (`widest/50%-random`). With folds, the models of all folds, as in nnU-Net. Throws a
 * UserError if there is none, or if several splits that are not folds have the method.
 */
export function modelsOfMethod(
  config: Experiment,
  method: string,
  { seeds, split }: MethodSelection,
): OpenedModel[] {
  const [, pruned, percent] = SNAPSHOT.exec(method) ?? [];
  const name = pruned ?? method;
  const splits = collectRuns(config).filter((each) => split === undefined || each.split === split);
  const runs = splits.flatMap(({ split: of, runs: found }) =>
    found.filter(({ record }) => record.status === 'finished').map((run) => ({ ...run, split: of })),
  );
  const fitting = runs.filter(
    ({ record }) => record.method === name && (seeds?.includes(record.seed) ?? true),
  );
  const known = [...new Set(runs.map(({ record }) => record.method))];
  if (fitting.length === 0)
    throw new UserError(
      'usage',
      `--method: found no finished run of ${method} in ${config.experiment}` +
        (known.length > 0
          ? `, expected one of ${known.join(', ')}${suggestion(name, known)}`
          : '; run: lunet train'),
    );
  const having = [...new Set(fitting.map((run) => run.split))];
  if (having.length > 1 && !hasFolds(config))
    throw new UserError(
      'usage',
      `--split: found none, expected one of ${having.join(', ')}, which have ${method}`,
    );
  return fitting.map(({ folder }) =>
    openModel(percent === undefined ? folder : join(folder, snapshotFile(Number(percent)))),
  );
}
