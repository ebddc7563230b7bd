#include "network/network.h"

#include <cmath>

namespace lunet {

uint64_t Network::estimate(const Shape& shape, int threads) {
  const Plan plan(shape, true);
  Room room = HeadTasks(plan).room;
  for (const Layer& layer : plan.layers) {
    room.widen(ForwardTasks(plan, layer, shape.maxBatch).room);
    room.widen(BackwardTasks(plan, layer, shape.maxBatch).room);
  }
  for (const Up& up : plan.ups)
    room.widen(up.composed ? ComposedTasks(plan, up, shape.maxBatch).room : UpTasks(plan, up, shape.maxBatch).room);
  return sizeof(float) * ((uint64_t)Volumes::floats(plan) + Parameters::floats(plan)) + room.bytes(threads);
}

size_t Network::bytes() const {
  return sizeof(float) * (state_.volumes.floats() + Parameters::floats(state_.plan)) + state_.workspace.bytes();
}

float Network::gradients(const Batch& batch, const float* masks) {
  const Mode mode = masks ? Mode::training : Mode::running;
  state_.prepare(true, batch.size());
  forward(state_, batch, masks, mode, true);
  const float loss = headLoss(state_, batch);
  backward(state_, batch, mode);
  return loss;
}

float Network::step(const Batch& batch, const float* masks, float learningRate) {
  const float loss = gradients(batch, masks);
  if (std::isfinite(loss) && !cut()) update(state_, learningRate);
  return loss;
}

void Network::synflow() {
  const std::vector<float> ones((size_t)shape().inputChannels * shape().size.voxels(), 1.0f);
  const Batch batch{{ones.data()}, {nullptr}};
  state_.prepare(true, batch.size());
  forward(state_, batch, nullptr, Mode::synflow, true);
  backward(state_, batch, Mode::synflow);
}

void Network::activationSums(const Batch& batch, const float* masks, bool withGradients, double* sum, double* squares,
                             double* products) {
  if (withGradients) {
    gradients(batch, masks);
  } else {
    state_.prepare(false, batch.size());
    forward(state_, batch, masks, masks ? Mode::training : Mode::running, false);
  }
  const Channels& c = state_.channels;
  for (size_t i = 0; i < c.at(batch.size(), 0); i++) {
    sum[i] = c.sum[i];
    squares[i] = c.squares[i];
    // The gradient before the ReLU is a*g + b*activation + c, as in backward.cpp, so its product needs no further pass.
    if (withGradients) products[i] = c.a[i] * c.gradientProduct[i] + c.b[i] * c.squares[i] + c.c[i] * c.sum[i];
  }
}

void Network::evaluate(const Batch& batch, double* overlaps) {
  state_.prepare(false, batch.size());
  forward(state_, batch, nullptr, Mode::running, false);
  headOverlaps(state_, batch, overlaps);
}

void Network::predict(const Batch& batch, bool running, float* probabilities) {
  state_.prepare(false, batch.size());
  forward(state_, batch, nullptr, running ? Mode::running : Mode::statistics, false);
  headProbabilities(state_, probabilities);
}

}  // namespace lunet
