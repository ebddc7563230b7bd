// A network in memory and what can be asked for: the class that callers see.
// One call at a time; the passes are spread over the network's own threads.
#pragma once
#include "network/passes.h"

namespace lunet {

class Network {
 public:
  Network(const Shape& shape, const float* weights, const uint32_t* targets, const float* adam, const Kernels& kernels,
          int threads)
      : state_(shape, weights, targets, adam, kernels, threads) {}

  // Each returns the loss; `masks` are (N, channels). step() also updates, unless the loss is not finite. Without masks
  // gradients and sums are those of evaluation: running statistics, no dropout.
  float step(const Batch& batch, const float* masks, float learningRate);
  float gradients(const Batch& batch, const float* masks);
  void synflow();
  // Sums per case and channel, (N, channels) each: a, a squared, a * dLoss/da (left alone without gradients).
  void activationSums(const Batch& batch, const float* masks, bool withGradients, double* sum, double* squares,
                      double* products);
  // Per case and label: intersection, predicted, target; all NaN for a case that overflowed on its way.
  void evaluate(const Batch& batch, double* overlaps);
  // Probabilities (N, labels, D, H, W).
  void predict(const Batch& batch, bool running, float* probabilities);

  void interrupt() { state_.threads.interrupt(); }
  // Whether an interrupt ended the last call early: it changed nothing and its results are worthless. To be read, and
  // followed by resume(), after each call that may have been interrupted.
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
  // That Adam has made.
  double& steps() { return state_.parameters.steps; }
  Meter& meter() { return state_.meter; }

  // Bytes that a network of this shape takes at most while training, sums of channels left out; and those it takes now.
  static size_t estimate(const Shape& shape, int threads);
  size_t bytes() const;

 private:
  State state_;
};

}  // namespace lunet
