// A network in memory: the class that callers use.
// One call at a time; the passes are distributed over the threads of the network.
#pragma once
#include "network/passes.h"

namespace lunet {

class Network {
 public:
  Network(const Shape& shape, const float* weights, const uint32_t* targets, const Loss& loss, const float* adam,
          const Kernels& kernels, int threads)
      : state_(shape, weights, targets, loss, adam, kernels, threads) {}

  // Each returns the loss; `masks` are (N, channels). step() also updates, unless the loss is not finite. Without
  // masks,
  // gradients and sums are computed in evaluation mode: running statistics, no dropout.
  float step(const Batch& batch, const float* masks, float learningRate);
  float gradients(const Batch& batch, const float* masks);
  void synflow();
  // Sums per case and channel, (N, channels) each: a, a squared, a * dLoss/da (not written without gradients).
  void activationSums(const Batch& batch, const float* masks, bool withGradients, double* sum, double* squares,
                      double* products);
  // Per case and label: intersection, predicted, target; all NaN for a case that overflowed.
  void evaluate(const Batch& batch, double* overlaps);
  // Probabilities (N, labels, D, H, W).
  void predict(const Batch& batch, bool running, float* probabilities);

  void interrupt() { state_.threads.interrupt(); }
  // Whether an interrupt ended the last call early: the call then changed nothing and its results are invalid. Check
  // this after each call that may have been interrupted, then call resume().
  bool cut() const { return state_.threads.cut(); }
  void resume() { state_.threads.resume(); }
  const Shape& shape() const { return state_.plan.shape; }
  int channels() const { return state_.plan.channels; }
  // The flat list of tensors, its gradient, and Adam's moments; the floats of each.
  float* weights() { return state_.parameters.weights.data(); }
  float* gradient() { return state_.parameters.gradient.data(); }
  float* m() { return state_.parameters.m.data(); }
  float* v() { return state_.parameters.v.data(); }
  size_t parameters() const { return state_.plan.parameters; }
  // The number of Adam steps so far.
  double& steps() { return state_.parameters.steps; }
  Meter& meter() { return state_.meter; }

  // An upper limit of the bytes of a network of this shape in training, without sums of channels; and its current
  // bytes.
  static uint64_t estimate(const Shape& shape, int threads);
  size_t bytes() const;

 private:
  State state_;
};

}  // namespace lunet
