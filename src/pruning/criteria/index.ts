// Every criterion by its name, in the order of the docs: the config, help and reference take the names from here.

import { bnScale } from './bn-scale.js';
import { type Criterion } from './criterion.js';
import { l1Std } from './l1-std.js';
import { l1 } from './l1.js';
import { l2 } from './l2.js';
import { random } from './random.js';
import { snip } from './snip.js';
import { synflow } from './synflow.js';
import { taylor } from './taylor.js';
import { weightL1 } from './weight-l1.js';
import { weightL2 } from './weight-l2.js';

export const criteria = {
  l2,
  l1,
  'l1-std': l1Std,
  taylor,
  random,
  'weight-l1': weightL1,
  'weight-l2': weightL2,
  'bn-scale': bnScale,
  snip,
  synflow,
} satisfies Readonly<Record<string, Criterion>>;

export type CriterionName = keyof typeof criteria;

/** The names of all criteria. */
export const CRITERIA = Object.keys(criteria) as CriterionName[];
