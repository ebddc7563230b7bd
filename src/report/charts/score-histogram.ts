// Figure 4: the distribution of scores at the snapshots, with the score of the chosen channel.

import { inPanels } from './panels.js';
import { type Chart, byMethod } from './style.js';

export const scoreHistogram: Chart = {
  name: 'score-histogram',
  title: 'Scores of channels at the snapshots (lines mark the chosen channel of each seed)',
  spec: (results) => {
    const panels = byMethod(results, results.scores).flatMap(({ name, rows }) => {
      const values = rows.map(({ values: { channels, fraction, score, chosen } }) => ({
        channels,
        fraction,
        score,
        chosen,
      }));
      const points = [...new Map(values.map(({ channels, fraction }) => [channels, fraction]))];
      // One scale for the panels of a method, so that they can be compared.
      const scores = values.map(({ score }) => score);
      const extent = [Math.min(...scores), Math.max(...scores)];
      return points
        .sort(([a], [b]) => b - a)
        .map(([channels, fraction]) => ({
          title: [name, `${Number((100 * fraction).toFixed(1))} % left (${channels} channels)`],
          extent,
          values: values.filter((each) => each.channels === channels),
        }));
    });
    if (panels.length === 0) return undefined;
    return inPanels(
      panels.map(({ title, extent, values }) => ({
        title,
        spec: {
          data: { values },
          layer: [
            {
              mark: { type: 'bar', color: '#56B4E9' },
              encoding: {
                x: {
                  field: 'score',
                  bin: { maxbins: 30, extent },
                  title: 'Normalised score',
                },
                y: { aggregate: 'count', title: 'Channels, all seeds' },
              },
            },
            {
              transform: [{ filter: 'datum.chosen' }],
              mark: { type: 'rule', color: '#D55E00', strokeWidth: 2 },
              encoding: { x: { field: 'score', type: 'quantitative' } },
            },
          ],
        },
      })),
      { width: 230, height: 160, columns: 3 },
    );
  },
};
