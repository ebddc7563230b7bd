// The order of removals of a strategy without scores, known without training.

import { UserError } from '../errors.js';
import { type Architecture } from '../network/architecture.js';
import { type Removal, removeChannelFromArchitecture } from '../network/surgery.js';
import { stream } from '../random.js';
import { STRATEGIES, type StrategyName, strategies } from './strategies/index.js';

/** The strategies that have a schedule. */
export const SCHEDULED = STRATEGIES.filter((name) => !strategies[name].scores);

/** One step of a schedule: the network before the removal, and the removal. */
export interface ScheduledStep {
  readonly architecture: Architecture;
  readonly removal?: Removal;
}

/** All steps of a strategy without scores, for a seed. Throws a UserError of kind `usage` for a strategy with scores. */
export function schedule(name: StrategyName, start: Architecture, seed: number): ScheduledStep[] {
  const strategy = strategies[name];
  if (strategy.scores)
    throw new UserError(
      'usage',
      `--dry-run: the order of ${name} depends on scores that only training gives; ${SCHEDULED.join(' and ')} have a schedule`,
    );
  const steps: ScheduledStep[] = [];
  for (let architecture = start; ;) {
    const choice = strategy.choose(architecture, choiceStream(seed, steps.length));
    if (choice === undefined) return [...steps, { architecture }];
    const removal = { layer: choice.layer.name, channel: choice.channel };
    steps.push({ architecture, removal });
    architecture = removeChannelFromArchitecture(architecture, removal);
  }
}

/** The random numbers for the choice of a strategy at a step. */
export function choiceStream(seed: number, step: number): ReturnType<typeof stream> {
  return stream(seed, 'prune', step);
}
