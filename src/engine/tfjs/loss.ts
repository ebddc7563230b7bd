// The loss of a training step in TensorFlow.js operations, and its gradient.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import { DEFAULT_LOSS, type NetworkSettings } from '../engine.js';

const SMOOTH = 1e-7;

/** 1 where a voxel counts, 0 where it is ignored, from targets that are -1 there. */
export function countedIn(target: tf.Tensor): tf.Tensor {
  return core.step(core.add(target, 0.5));
}

/** The loss that `Network.trainStep` defines, and d loss / d logits. The target is -1 at ignored voxels. */
export function lossOf(
  logits: tf.Tensor5D,
  target: tf.Tensor5D,
  { loss: { entropy, batchDice } = DEFAULT_LOSS, ignored }: Pick<NetworkSettings, 'loss' | 'ignored'>,
): { loss: tf.Scalar; gradient: tf.Tensor5D } {
  const [cases, , , , labels] = logits.shape;
  const flat = (x: tf.Tensor): tf.Tensor3D => core.reshape(x, [batchDice ? 1 : cases, -1, labels]);
  const counted = ignored === undefined ? undefined : countedIn(flat(target));
  const t = counted ? core.relu(flat(target)) : flat(target);
  const dice = diceLoss(flat(logits), t, counted);
  if (!entropy) return { loss: dice.loss, gradient: core.reshape(dice.gradient, logits.shape) };
  const cross = crossEntropy(flat(logits), t, counted);
  return {
    loss: core.add(dice.loss, cross.loss),
    gradient: core.reshape(core.add(dice.gradient, cross.gradient), logits.shape),
  };
}

interface Term {
  readonly loss: tf.Scalar;
  readonly gradient: tf.Tensor;
}

/** 1 - mean of 2 sum(p t) / (sum p + sum t) over the first and the last axis; sums are over the middle one. */
function diceLoss(logits: tf.Tensor3D, t: tf.Tensor3D, counted: tf.Tensor | undefined): Term {
  const [groups, , labels] = logits.shape;
  const all = core.sigmoid(logits);
  const p = counted ? core.mul(all, counted) : all;
  const both = core.tidy(() => core.sum(core.mul(p, t), 1, true));
  const total = core.add(core.add(core.sum(p, 1, true), core.sum(t, 1, true)), SMOOTH);
  const ratio = core.div(core.mul(both, 2), total);
  // d/dp = (ratio - 2 t) / total / (groups * labels), times p (1 - p); written so that few tensors are alive at once. It is 0
  // at ignored voxels, since p is.
  const share = core.mul(total, groups * labels);
  const byProbability = core.tidy(() => core.sub(core.div(ratio, share), core.mul(t, core.div(2, share))));
  const slope = core.tidy(() => core.mul(p, core.sub(1, p)));
  core.dispose([all, p]);
  return { loss: core.sub(1, core.mean(ratio)), gradient: core.mul(byProbability, slope) };
}

/** The mean of max(x, 0) - x t + log(1 + exp(-|x|)) over everything that counts; its gradient is p - t. */
function crossEntropy(logits: tf.Tensor3D, t: tf.Tensor3D, counted: tf.Tensor | undefined): Term {
  const only = (x: tf.Tensor): tf.Tensor => (counted ? core.mul(x, counted) : x);
  const number = counted ? core.maximum(core.sum(counted), 1) : core.scalar(logits.size);
  const each = core.tidy(() =>
    only(
      core.add(
        core.sub(core.relu(logits), core.mul(logits, t)),
        core.log1p(core.exp(core.neg(core.abs(logits)))),
      ),
    ),
  );
  return {
    loss: core.div(core.sum(each), number),
    gradient: core.tidy(() => core.div(only(core.sub(core.sigmoid(logits), t)), number)),
  };
}
