// The schedule of the paper: removes a random channel of the widest layer of the widest block. The width of a block is the
// mean width of its prunable layers, so that the layer before the head, which keeps its width, does not make its block look
// wide. If equal: the deepest block (on one level, that of the decoder), then the later layer. Considers only blocks and
// layers that can lose a channel. Needs no scores, so the architectures are known in advance.

import { listLayers } from '../../network/architecture.js';
import { type Strategy, removable } from './strategy.js';

export const widest: Strategy = {
  scores: false,
  choose: (architecture, random) => {
    const layers = listLayers(architecture).filter(({ prunable }) => prunable);
    const candidates = removable(architecture).map((layer) => {
      const widths = layers
        .filter(({ side, level }) => side === layer.side && level === layer.level)
        .map(({ width }) => width);
      return { layer, blockWidth: widths.reduce((sum, width) => sum + width, 0) / widths.length };
    });
    const [first] = candidates.sort(
      (a, b) =>
        b.blockWidth - a.blockWidth ||
        b.layer.level - a.layer.level ||
        (a.layer.side < b.layer.side ? -1 : a.layer.side > b.layer.side ? 1 : 0) ||
        b.layer.width - a.layer.width ||
        b.layer.layer - a.layer.layer,
    );
    return first && { layer: first.layer, channel: random.integer(first.layer.width) };
  },
};
