// Separate up-convolutions: those that are not composed with the convolution after them (see composition.h). They have
// no forward pass: packing the input of a layer computes them from the coarse volume (pack_up), with the batch norm
// before them folded into their weights. In the backward pass the gradient of their output is stored as eight dense
// coarse volumes, one for each position (unpack_positions). Their voxels need no neighbours, so nothing is packed.
#include <algorithm>
#include <cmath>

#include "network/passes.h"

namespace lunet {

namespace {

// The backward pass of an up-convolution. A task computes a share of the coarse voxels of a case.
class UpBackward {
 public:
  UpBackward(State& state, const Up& up)
      : state_(state),
        up_(up),
        from_(state.plan.layers[up.source]),
        voxels_((int)state.plan.sizeAt(from_.level).voxels()),
        tasks_(state.plan, up, state.volumes.batch),
        outputs_(tasks_.outputs, kProductsBlock),
        inputs_(outputBlocks(state.kernels, up.inputs)) {}

  void run() {
    const int batch = state_.volumes.batch, count = tasks_.perCase * batch;
    Channels& channels = state_.channels;
    SlotSums& slots = state_.workspace.slots;
    state_.workspace.reserve(tasks_.room);
    slots.clear(count, up_.inputs);
    state_.threads.run(count, [&](int task, int thread) { computeShare(task, thread); });
    slots.addUp(batch, tasks_.perCase, channels, from_.channelAt, channels.gradientSum, channels.gradientProduct);
    finishWeights();
  }

 private:
  static constexpr int kRun = UpTasks::kRun;

  void computeShare(int task, int thread) {
    const int n = task / tasks_.perCase, begin = task % tasks_.perCase * tasks_.share;
    const int end = std::min(voxels_, begin + tasks_.share);
    Scratch& scratch = state_.workspace.scratch[thread];
    float* sums = state_.workspace.weightSums.data() + task * tasks_.each;
    std::fill_n(scratch.packed.data(), kRun, 1.0f);
    std::fill_n(sums, tasks_.each, 0.0f);
    // As many voxels at once as fit the second-level cache, for all positions of all outputs.
    const int atOnce = std::min(kRun, std::max(64, (1 << 16) / tasks_.outputs / 16 * 16));
    for (int run = begin; run < end; run += kRun) {
      const int stop = std::min(end, run + kRun);
      addProducts(n, run, stop - run, scratch, sums);
      for (int at = run; at < stop; at += atOnce)
        computeInput(n, at, std::min(atOnce, stop - at), task, scratch.results.data());
    }
  }

  // Adds `count` voxels from `run` on to the sums of the weights and, as for one more input of ones, of the biases.
  void addProducts(int n, int run, int count, Scratch& scratch, float* sums) {
    const float** at = scratch.pointers.data();
    const float* x = state_.volumes.at(from_.activation, n) + run;
    for (int c = 0; c < up_.inputs; c++) at[c] = x + (size_t)c * voxels_;
    at[up_.inputs] = scratch.packed.data();
    const float* dy = state_.volumes.at(up_.gradient, n) + run;
    for (int b = 0; b < outputs_.count; b++)
      state_.kernels.products(outputs_.width(b), dy + outputs_.first(b) * up_.positionStride, up_.positionStride, at,
                              tasks_.factors, count, sums + (size_t)outputs_.first(b) * tasks_.factors, tasks_.factors);
  }

  // Computes the input gradient of `count` voxels from `at` on.
  void computeInput(int n, int at, int count, int task, float* results) {
    const ptrdiff_t here = 0;
    const float* dy = state_.volumes.at(up_.gradient, n) + at;
    for (int b = 0; b < inputs_.count; b++) {
      const int first = inputs_.first(b);
      state_.kernels.correlate(inputs_.width(b), dy, up_.positionStride, tasks_.outputs, &here, 1,
                               state_.parameters.backward.data() + up_.packedWeight + (size_t)first * tasks_.outputs,
                               false, results, kRun, count);
      for (int c = 0; c < inputs_.width(b); c++) {
        const size_t place = (size_t)(first + c) * voxels_ + at;
        state_.kernels.unpack_gradient({1, count, count}, results + c * kRun,
                                       state_.volumes.at(from_.gradient, n) + place,
                                       state_.volumes.at(from_.activation, n) + place, state_.volumes.pastCaches,
                                       state_.workspace.slots.at(task, first + c));
      }
    }
  }

  // The sum of a case for the gradient of a weight or, with factor up.inputs, of a bias.
  double sumOf(int n, int output, int factor) const {
    const float* sums = state_.workspace.weightSums.data() + (size_t)output * tasks_.factors + factor;
    double sum = 0;
    for (int task = n * tasks_.perCase; task < (n + 1) * tasks_.perCase; task++) sum += sums[task * tasks_.each];
    return sum;
  }

  // Converts sums over activations, before batch norm, to gradients. PyTorch's axes are (input, output, position).
  void finishWeights() {
    const int batch = state_.volumes.batch;
    const Channels& channels = state_.channels;
    float* gradient = state_.parameters.gradient.data();
    state_.threads.run(outputs_.count, [&](int b, int) {
      std::vector<double> gradients(batch);
      for (int i = outputs_.first(b); i < outputs_.first(b + 1); i++) {
        for (int n = 0; n < batch; n++) gradients[n] = sumOf(n, i, up_.inputs);
        for (int c = 0; c < up_.inputs; c++) {
          double total = 0;
          for (int n = 0; n < batch; n++) {
            const size_t at = channels.at(n, from_.channelAt + c);
            total += channels.scale[at] * sumOf(n, i, c) + channels.shift[at] * gradients[n];
          }
          gradient[up_.weight + (size_t)c * tasks_.outputs + i] = (float)total;
        }
      }
    });
    for (int u = 0; u < up_.outputs; u++) {
      double bias = 0;
      for (int n = 0; n < batch; n++)
        for (int i = 8 * u; i < 8 * u + 8; i++) bias += sumOf(n, i, up_.inputs);
      gradient[up_.bias + u] = (float)bias;
    }
  }

  State& state_;
  const Up& up_;
  const Layer& from_;
  const int voxels_;
  const UpTasks tasks_;
  const Blocks outputs_, inputs_;
};

}  // namespace

// Folds batch norm and dropout into the weights: with the output of a layer y = scale*activation + shift, weight*y +
// bias = (weight*scale)*activation + (weight*shift + bias). The order for pack_up is (case, output, z, 1 + inputs, (y,
// x)).
void foldUp(State& state, const Up& up, bool absolute) {
  const Channels& channels = state.channels;
  const int channelAt = state.plan.layers[up.source].channelAt;
  const float* w = state.parameters.weights.data();
  float* to = state.parameters.foldedUps[&up - state.plan.ups.data()].data();
  for (int n = 0; n < state.volumes.batch; n++)
    for (int u = 0; u < up.outputs; u++)
      for (int z = 0; z < 2; z++) {
        float* biases = to;
        for (int position = 0; position < 4; position++) *to++ = weightIn(absolute, w[up.bias + u]);
        for (int c = 0; c < up.inputs; c++) {
          const size_t at = channels.at(n, channelAt + c);
          for (int position = 0; position < 4; position++) {
            const float weight = weightIn(absolute, w[up.weight + ((size_t)c * up.outputs + u) * 8 + 4 * z + position]);
            biases[position] += weight * channels.shift[at];
            *to++ = weight * channels.scale[at];
          }
        }
      }
}

void backwardUp(State& state, const Up& up) { UpBackward(state, up).run(); }

}  // namespace lunet
