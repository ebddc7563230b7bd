// Figure 2: how wide each layer is at each step of pruning, for the first seed of each strategy.

import { listLayers } from '../../network/architecture.js';
import { type Chart, familyOf } from './style.js';

export const channelsPerLayer: Chart = {
  name: 'channels-per-layer',
  title: 'Channels per layer over the steps of pruning (first seed)',
  spec: (results) => {
    const seen = new Map<string, number>();
    const rows = results.steps.filter(({ split, method, seed }) => {
      const key = `${split} ${method}`;
      if (!seen.has(key)) seen.set(key, seed);
      return seen.get(key) === seed;
    });
    const record = results.records.find(({ kind }) => kind === 'prune');
    if (rows.length === 0 || record === undefined) return undefined;
    const layers = listLayers(record.architecture).map(({ name }) => name);
    const values = rows.flatMap(({ split, kind, method, values: row }) =>
      layers
        .filter((layer) => row[layer] !== undefined)
        .map((layer) => ({
          panel: split === 'default' ? familyOf(kind, method) : `${split}: ${familyOf(kind, method)}`,
          step: Number(row['step']),
          layer,
          channels: Number(row[layer]),
        })),
    );
    return {
      data: { values },
      facet: { field: 'panel', title: null, columns: 2 },
      spec: {
        width: 330,
        height: 260,
        mark: 'rect',
        encoding: {
          x: { field: 'step', type: 'quantitative', bin: { maxbins: 60 }, title: 'Channels removed' },
          y: { field: 'layer', type: 'nominal', sort: layers, title: null },
          color: {
            field: 'channels',
            aggregate: 'mean',
            type: 'quantitative',
            title: 'Channels',
            scale: { scheme: 'viridis', type: 'sqrt' },
          },
        },
      },
    };
  },
};
