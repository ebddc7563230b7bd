// Figure 4: how the criterion's scores are distributed at the snapshots, and where the chosen channel lies.

import { type Chart } from './style.js';

export const scoreHistogram: Chart = {
  name: 'score-histogram',
  title: "Scores of channels at the snapshots; a line marks each seed's chosen channel",
  spec: (results) => {
    const values = results.scores.map(({ method, values: row }) => ({
      panel: `${method}, ${Math.round(100 * Number(row['fraction']))} %`,
      score: Number(row['score']),
      chosen: row['chosen'] === 'true',
    }));
    if (values.length === 0) return undefined;
    return {
      data: { values },
      facet: { field: 'panel', title: null, sort: { field: 'panel', order: 'descending' }, columns: 3 },
      spec: {
        width: 220,
        height: 150,
        layer: [
          {
            mark: { type: 'bar', color: '#56B4E9' },
            encoding: {
              x: { field: 'score', bin: { maxbins: 30 }, title: 'Normalised score' },
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
    };
  },
};
