// Descriptions of a pruning step: as a record, as rows of steps.csv, scores.csv and dropout.csv, as a line of progress.

import { type VolumeSize } from '../engine/engine.js';
import { type Architecture, type Layer, listLayers } from '../network/architecture.js';
import { countMultiplyAdds } from '../network/cost.js';
import { countParameters } from '../network/parameters.js';
import { type Removal, prunableChannels } from '../network/surgery.js';
import { type DropoutRow, type ScoreRow, type StepRow } from '../runs/records.js';
import { type PruningStep } from '../runs/run.js';
import { diceCells } from '../training/outputs.js';
import { type Scores } from './criteria/criterion.js';
import { type Choice } from './strategies/strategy.js';

/** The part of the progress of a run that describes a step. */
export interface StepState {
  readonly architecture: Architecture;
  readonly removals: readonly Removal[];
  readonly epochs: number;
  readonly loss: number;
  readonly partSeconds: number;
}

/** The record of the current step, with its Dice (mean over labels first). */
export function describeStep(
  at: StepState,
  size: VolumeSize,
  total: number,
  dice: readonly number[],
  validation: readonly number[] | undefined,
): PruningStep {
  const channels = prunableChannels(at.architecture);
  const [depth, height, width] = size;
  return {
    step: at.removals.length,
    channels,
    fraction: channels / total,
    parameters: countParameters(at.architecture),
    multiplyAdds: countMultiplyAdds(at.architecture, depth * height * width),
    testDice: dice[0] as number,
    testDiceByLabel: dice.slice(1),
    ...(validation && { validationDice: validation[0] as number }),
    architecture: at.architecture,
  };
}

/** A row of steps.csv. */
export function stepRow(
  labels: readonly string[],
  at: StepState,
  step: PruningStep,
  test: readonly number[],
  validation: readonly number[] | undefined,
  choice: Choice | undefined,
): StepRow {
  return {
    step: step.step,
    epochs: at.epochs,
    channels: step.channels,
    fraction: step.fraction,
    parameters: step.parameters,
    multiply_adds: step.multiplyAdds,
    train_loss: at.loss,
    ...diceCells('test', labels, test),
    ...diceCells('validation', labels, validation),
    removed_layer: choice?.layer.name,
    removed_channel: choice?.channel,
    removed_score: choice?.score,
    seconds: Number(at.partSeconds.toFixed(3)),
    ...Object.fromEntries(listLayers(at.architecture).map(({ name, width: channels }) => [name, channels])),
  };
}

/** A step as one line, for progress. */
export function stepLine(step: PruningStep, seconds: number): string {
  return (
    `${step.channels} channels (${(100 * step.fraction).toFixed(0)} %), ${step.parameters.toLocaleString('en')} parameters  ` +
    `Dice ${step.testDice.toFixed(4)}  ${seconds.toFixed(2)} s`
  );
}

/** Rows of scores.csv at a snapshot: one per channel; `chosen` marks the channel removed next. */
export function scoreRows(
  layers: readonly { name: string }[],
  scores: Scores,
  choice: Choice | undefined,
  { step, channels, fraction }: PruningStep,
): ScoreRow[] {
  return layers.flatMap(({ name }, i) =>
    Array.from(scores[i] as Float64Array, (score, channel) => ({
      step,
      channels,
      fraction,
      layer: name,
      channel,
      score,
      chosen: choice?.layer.name === name && choice.channel === channel,
    })),
  );
}

/** Rows of dropout.csv: the rate that each layer was trained with before the removal of a step. */
export function dropoutRows(
  layers: readonly Layer[],
  rates: readonly number[],
  { step }: PruningStep,
): DropoutRow[] {
  return layers.map(({ name, width }, i) => ({
    step,
    layer: name,
    channels: width,
    rate: rates[i] as number,
  }));
}
