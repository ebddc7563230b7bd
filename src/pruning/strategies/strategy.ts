// The type of a strategy, and the computations that several strategies share.

import { type Architecture, type Layer, listLayers } from '../../network/architecture.js';
import { type RandomStream } from '../../random.js';
import { type Scores } from '../criteria/criterion.js';

/** The channel to remove next. */
export interface Choice {
  readonly layer: Layer;
  readonly channel: number;
  /** Its score, for strategies that use scores. */
  readonly score?: number;
}

/** Chooses the channel to remove. `choose` returns undefined if every prunable layer has one channel. */
export type Strategy =
  | {
      readonly scores: true;
      readonly choose: (
        architecture: Architecture,
        random: RandomStream,
        scores: Scores,
      ) => Choice | undefined;
    }
  | {
      readonly scores: false;
      readonly choose: (architecture: Architecture, random: RandomStream) => Choice | undefined;
    };

/** Layers that can lose a channel. */
export function removable(architecture: Architecture): Layer[] {
  return listLayers(architecture).filter(({ prunable, width }) => prunable && width > 1);
}

/** The channel with the lowest score in all layers that can lose one; if equal, the earlier layer, then the lower index. */
export function lowestScore(architecture: Architecture, scores: Scores): Required<Choice> | undefined {
  let lowest: Required<Choice> | undefined;
  for (const [i, layer] of listLayers(architecture).entries())
    if (layer.prunable && layer.width > 1)
      for (const [channel, score] of (scores[i] as Float64Array).entries())
        if (lowest === undefined || score < lowest.score) lowest = { layer, channel, score };
  return lowest;
}
