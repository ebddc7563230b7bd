// Figure 2: the width of each layer at each step of pruning, for the first seed of each pruning run.

import { listLayers } from '../../network/architecture.js';
import { inPanels } from './panels.js';
import { type Chart, byMethod } from './style.js';

export const channelsPerLayer: Chart = {
  name: 'channels-per-layer',
  title: 'Channels per layer over the steps of pruning (first seed of each)',
  spec: (results) => {
    const panels = byMethod(results, results.steps).flatMap(({ method, name, rows }) => {
      const seed = Math.min(...rows.map((row) => row.seed));
      const record = results.records.find(
        (each) => each.kind === 'prune' && each.method === method && each.seed === seed,
      );
      const layers = record ? listLayers(record.architecture).map((layer) => layer.name) : [];
      const values = rows
        .filter((row) => row.seed === seed)
        .flatMap(({ values: row }) =>
          layers.flatMap((layer) => {
            const channels = row[layer];
            return typeof channels === 'number' ? [{ step: row.step, layer, channels }] : [];
          }),
        );
      return values.length === 0 ? [] : [{ title: [name, `seed ${seed}`], layers, values }];
    });
    if (panels.length === 0) return undefined;
    const most = Math.max(...panels.flatMap(({ values }) => values.map(({ channels }) => channels)));
    const tallest = Math.max(...panels.map(({ layers }) => layers.length));
    return {
      ...inPanels(
        panels.map(({ title, layers, values }) => ({
          title,
          spec: {
            data: { values },
            mark: 'rect',
            encoding: {
              x: {
                field: 'step',
                type: 'quantitative',
                bin: { maxbins: 60, minstep: 1 },
                axis: { format: 'd' },
                title: 'Channels removed',
              },
              y: {
                field: 'layer',
                type: 'nominal',
                sort: layers,
                title: null,
                axis: { labelOverlap: false },
              },
              color: {
                field: 'channels',
                aggregate: 'mean',
                type: 'quantitative',
                title: 'Channels',
                scale: { scheme: 'viridis', type: 'sqrt', domain: [0, most] },
              },
            },
          },
        })),
        { width: 330, height: Math.max(280, 16 * tallest), columns: 2 },
      ),
      resolve: { scale: { color: 'shared' } },
    };
  },
};
