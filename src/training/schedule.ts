// The learning rate of each epoch: see docs/training.md.

import { type Experiment } from '../config/schema.js';

/** The learning rate of an epoch, counted from 1. The warm-up comes first, the schedule is over the epochs after it. */
export function learningRateAt(
  {
    learningRate,
    schedule,
    cooldown,
    warmup,
  }: Pick<Experiment['training'], 'learningRate' | 'schedule' | 'cooldown' | 'warmup'>,
  epoch: number,
  epochs: number,
): number {
  if (epoch <= warmup) return (learningRate * epoch) / (warmup + 1);
  const done = (epoch - warmup - 1) / (epochs - warmup);
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'cooldown':
      return learningRate * Math.min(1, (epochs - epoch + 1) / (cooldown * epochs + 1));
    case 'poly':
      return learningRate * (1 - done) ** 0.9;
    case 'cosine':
      return (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
  }
}
