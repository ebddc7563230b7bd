// The weight gradient of a 3x3x3 convolution, accumulated from packed slabs:
//   direct:   four outputs times 27 taps.
//   narrow:   for a block of one or two outputs. The gradient of an output, shifted by the three taps along a row,
//             counts as three outputs with 9 taps each.
//   winograd: the transpose of the forward pass. With e0, e1 the gradients of two output planes and X the transformed
//             planes of the input, the gradients of the transformed weights are e0 X0, (e0 + e1) X1, (e0 - e1) X2 and
//             -e1 X3. The packed planes (see kernels.h) are e0, e0 + e1, e1 - e0 and e1, so the last two sums have the
//             opposite sign.
#pragma once
#include "network/convolution.h"

namespace lunet {

struct WeightGradient {
  int inputs, outputs;
  bool winograd;
  Blocks blocks;

  WeightGradient(int inputs, int outputs, bool winograd)
      : inputs(inputs), outputs(outputs), winograd(winograd), blocks(outputs, kProductsBlock) {}

  // The kernel keeps its sums in registers over a run of voxels. Cuts `voxels` into runs of equal length, short enough
  // for the first-level cache, and returns that length.
  static ptrdiff_t run(ptrdiff_t voxels) {
    constexpr ptrdiff_t kMost = 2048;
    const ptrdiff_t runs = (voxels + kMost - 1) / kMost;
    return ((voxels + runs - 1) / runs + 15) / 16 * 16;
  }
  // Floats of the sums of all blocks.
  size_t floats() const { return (size_t)outputs * inputs * (winograd ? kWinogradWeights : 27); }
  size_t pointers() const { return (size_t)inputs * 27; }

  // Sets the sums of blocks [from, to) to zero.
  void clear(int from, int to, float* sums) const {
    const int first = blocks.first(from), channels = blocks.first(to) - first, planes = winograd ? kWinogradPlanes : 1;
    const size_t inOutput = floats() / outputs / planes;
    for (int plane = 0; plane < planes; plane++) {
      float* begin = sums + ((size_t)plane * outputs + first) * inOutput;
      std::fill(begin, begin + channels * inOutput, 0.0f);
    }
  }

  // Adds `count` packed voxels from `begin` on to the sums of block b. `dy` and `x` are the first packed channels of a
  // slab; `at` is scratch memory for pointers.
  void add(const Kernels& k, const Slabs& s, int b, const float* dy, const float* x, ptrdiff_t begin, int count,
           const float** at, float* sums) const {
    const int first = blocks.first(b), width = blocks.width(b);
    dy += first * s.gradientChannel + s.origin + begin;
    x += s.origin + begin;
    const auto point = [&](const Taps& taps, ptrdiff_t from) {
      for (int c = 0; c < inputs; c++)
        for (int t = 0; t < taps.count; t++) at[c * taps.count + t] = x + c * s.channel + from + taps.at[t];
      return inputs * taps.count;
    };
    if (winograd) {
      constexpr int kGradientPlane[kWinogradPlanes] = {4, 1, 2, 5};  // e0, e0 + e1, e1 - e0, e1
      const Taps taps(s, false, true);
      for (int plane = 0; plane < kWinogradPlanes; plane++) {
        const int factors = point(taps, plane * s.transformed);
        k.products(width, dy + kGradientPlane[plane] * s.transformed, s.gradientChannel, at, factors, count,
                   sums + ((size_t)plane * outputs + first) * factors, factors);
      }
    } else if (isNarrow(b)) {
      const int factors = point(Taps(s, true, false), 0);
      for (int o = 0; o < width; o++)
        k.products(3, dy + o * s.gradientChannel + 1, -1, at, factors, count, sums + (size_t)(first + o) * 3 * factors,
                   factors);
    } else {
      const int factors = point(Taps(s, true, true), 0);
      k.products(width, dy, s.gradientChannel, at, factors, count, sums + (size_t)first * factors, factors);
    }
  }

  // Converts block b of the sums over all slabs to the order of PyTorch's weights, whose outputs are outputStride
  // apart.
  void finish(int b, const float* sums, float* gradient, size_t outputStride) const {
    const size_t inOutput = (size_t)inputs * 9;
    for (int o = blocks.first(b); o < blocks.first(b + 1); o++)
      for (int c = 0; c < inputs; c++) {
        float* to = gradient + o * outputStride + c * 27;
        if (winograd) {
          const float* u = sums + o * inOutput + c * 9;
          const size_t plane = outputs * inOutput;
          for (int t = 0; t < 9; t++, u++) {
            const float u1 = 0.5f * u[plane], u2 = -0.5f * u[2 * plane];
            to[t] = u[0] + (u1 + u2);
            to[9 + t] = u1 - u2;
            to[18 + t] = u1 + u2 - u[3 * plane];
          }
        } else {
          const float* from = sums + o * 3 * inOutput;
          for (int t = 0; t < 27; t++) to[t] = isNarrow(b) ? from[t % 3 * inOutput + c * 9 + t / 3] : from[c * 27 + t];
        }
      }
  }

 private:
  bool isNarrow(int b) const { return blocks.width(b) <= 2; }
};

}  // namespace lunet
