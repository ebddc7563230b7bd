// The smallest experiment with all features: two models, two strategies, snapshots, two seeds.

export const TINY = `experiment: tiny
dataset:
  layout: phantom
  phantom: { kind: hippocampus, cases: 9, size: 16, seed: 1 }
  labels: { hippocampus: [1, 2] }
  split: { train: 5, validation: 2, test: 2 }
preprocessing: { size: [16, 16, 16] }
models:
  - { family: unet, n: 2, levels: 2, convs: 1 }
  - { family: lunet, n: 2, levels: 2, convs: 2 }
training: { epochs: 3, batch: 2, seeds: [1, 2], dropout: 0.2 }
pruning: { strategies: [stamp, widest], snapshots: [75, 50, 25], recoveryEpochs: 2 }
retraining: { epochs: 2 }
`;
