// The 2x2x2 up-convolutions that are not composed with the convolution behind them (see up_composition.h). Forward,
// they have no pass: packing a layer's input computes them from the coarse volume (pack_up), with the batch norm before
// them folded into their weights. Backward, the gradient of their output is stored as eight volumes, one for each
// position (unpack_positions), each a dense coarse volume, so that without neighbours to look at nothing is packed.
#include <algorithm>
#include <cmath>

#include "network/network.h"

namespace lunet {

// With a layer's output y = scale*activation + shift, weight*y + bias = (weight*scale)*activation + (weight*shift +
// bias). Laid out as pack_up reads it: (case, output, z, 1 + inputs, (y, x)).
void Network::foldUp(const Up& up, bool absolute) {
  const int channelAt = plan_->layers[up.source].channelAt;
  const float* w = weights_.data() + up.weight;
  float* to = foldedUps_[&up - plan_->ups.data()].data();
  for (int n = 0; n < batch_; n++)
    for (int u = 0; u < up.outputs; u++)
      for (int z = 0; z < 2; z++) {
        const float bias = weights_.data()[up.bias + u];
        float* biases = to;
        for (int position = 0; position < 4; position++) *to++ = absolute ? std::fabs(bias) : bias;
        for (int c = 0; c < up.inputs; c++) {
          const size_t at = (size_t)n * plan_->channels + channelAt + c;
          for (int position = 0; position < 4; position++) {
            const float weight = w[((size_t)c * up.outputs + u) * 8 + 4 * z + position];
            const float value = absolute ? std::fabs(weight) : weight;
            biases[position] += value * shift_[at];
            *to++ = value * scale_[at];
          }
        }
      }
}

void Network::backwardUp(const Up& up) {
  const Layer& from = plan_->layers[up.source];
  const int voxels = (int)plan_->sizeAt(from.level).voxels();
  const UpPass pass(*plan_, up, batch_);
  const int positions = pass.outputs, factors = pass.factors, perCase = pass.perCase, share = pass.share;
  constexpr int kRun = UpPass::kRun;
  const size_t each = pass.each;
  // As many voxels at once as the second-level cache holds of all positions of all outputs.
  const int atOnce = std::min(kRun, std::max(64, (1 << 16) / positions / 16 * 16));
  const Blocks outputs(positions, kProductsBlock), inputs = outputBlocks(k_, up.inputs);
  reserve(pass.room);
  clearSlots(perCase * batch_, up.inputs);
  threads_.run(perCase * batch_, [&](int task, int thread) {
    const int n = task / perCase, begin = task % perCase * share, end = std::min(voxels, begin + share);
    const float* dy = volume(up.gradient, n);
    const float* x = volume(from.activation, n);
    float* ones = scratch_[thread].packed.data();
    float* results = scratch_[thread].results.data();
    const float** at = scratch_[thread].pointers.data();
    float* sums = partial_.data() + task * each;
    std::fill(ones, ones + kRun, 1.0f);
    std::fill(sums, sums + each, 0.0f);
    for (int run = begin; run < end; run += kRun) {
      const int stop = std::min(end, run + kRun);
      for (int c = 0; c < up.inputs; c++) at[c] = x + (size_t)c * voxels + run;
      at[up.inputs] = ones;
      for (int b = 0; b < outputs.count; b++)
        k_.products(outputs.width(b), dy + outputs.first(b) * up.positionStride + run, up.positionStride, at, factors,
                    stop - run, sums + (size_t)outputs.first(b) * factors, factors);
      const ptrdiff_t here = 0;
      for (int i = run; i < stop; i += atOnce) {
        const int count = std::min(atOnce, stop - i);
        for (int b = 0; b < inputs.count; b++) {
          const int first = inputs.first(b);
          k_.correlate(inputs.width(b), dy + i, up.positionStride, positions, &here, 1,
                       backwardWeights_.data() + up.packedWeight + (size_t)first * positions, false, results, kRun,
                       count);
          for (int c = 0; c < inputs.width(b); c++) {
            const size_t place = (size_t)(first + c) * voxels + i;
            k_.unpack_gradient({1, count, count}, results + c * kRun, volume(from.gradient, n) + place,
                               volume(from.activation, n) + place, pastCaches_, slot(task, up.inputs, first + c));
          }
        }
      }
    }
  });
  sumSlots(perCase, up.inputs, from.channelAt, gradientSum_, gradientProduct_);

  // The sums were over activations. PyTorch's axes are (input, output, position).
  float* gradient = gradient_.data();
  const auto sumOf = [&](int n, int i, int factor) {
    double sum = 0;
    for (int task = n * perCase; task < (n + 1) * perCase; task++)
      sum += partial_.data()[task * each + (size_t)i * factors + factor];
    return sum;
  };
  threads_.run(outputs.count, [&](int b, int) {
    std::vector<double> gradients(batch_);
    for (int i = outputs.first(b); i < outputs.first(b + 1); i++) {
      for (int n = 0; n < batch_; n++) gradients[n] = sumOf(n, i, up.inputs);
      for (int c = 0; c < up.inputs; c++) {
        double total = 0;
        for (int n = 0; n < batch_; n++) {
          const size_t at = (size_t)n * plan_->channels + from.channelAt + c;
          total += scale_[at] * sumOf(n, i, c) + shift_[at] * gradients[n];
        }
        gradient[up.weight + (size_t)c * positions + i] = (float)total;
      }
    }
  });
  for (int u = 0; u < up.outputs; u++) {
    double bias = 0;
    for (int n = 0; n < batch_; n++)
      for (int i = 8 * u; i < 8 * u + 8; i++) bias += sumOf(n, i, up.inputs);
    gradient[up.bias + u] = (float)bias;
  }
}

}  // namespace lunet
