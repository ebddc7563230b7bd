// An up-convolution and the 3x3x3 convolution that reads it, composed into one convolution from coarse voxels to fine
// voxels.
//
// Corners are the points where coarse voxels meet, including those on the faces of the volume: n + 1 along an axis of n
// voxels. The phases of a corner are the 2x2x2 fine voxels around it; they depend only on the 2x2x2 coarse voxels
// around it. Along an axis, corner j is between coarse voxels j - 1 and j, and between fine voxels 2j - 1 (phase 1) and
// 2j (phase 0). So both convolutions together are one convolution with 2x2x2 taps at every corner and with eight
// outputs, the phases, for each original output. This takes fewer multiply-adds unless the up-convolution has far more
// inputs than outputs (see worthComposing in plan.cpp), and the output of the up-convolution is never computed. Its
// bias is the weight of one more input, which is 1 inside the volume and, like every input, 0 outside.
//
// Phases, taps and positions are numbered (z, y, x), x fastest. A packed slab of coarse planes (see kernels.h) has the
// stride that corners need: corner (j, i, h) has the index of voxel (j, i, h), and its taps are at that index and
// before.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "network/convolution.h"

namespace lunet {

constexpr int kPlanePhases = 4;  // (y, x) phases of a plane, which a kernel computes together
static_assert(kPlanePhases <= kWidestBlock && kPlanePhases <= kProductsBlock, "they are a block of either kernel");

// What a tap of the 3x3x3 convolution reads from a phase: the coarse voxel that contains it, as a tap of the corner,
// and the position of the up-convolution weight in this coarse voxel.
struct Reached {
  int tap, position;
  Reached(int phase, int fineTap) : tap(0), position(0) {
    const int along[3] = {fineTap / 9, fineTap / 3 % 3, fineTap % 3};
    for (int axis = 0; axis < 3; axis++) {
      // Counted in fine voxels from the start of the coarse voxel before the corner.
      const int from = along[axis] + 1 - (phase >> (2 - axis) & 1);
      tap = 2 * tap + from / 2;
      position = 2 * position + from % 2;
    }
  }
};

// Offsets of the coarse voxels around a corner.
inline Taps cornerTaps(const Slabs& s) {
  Taps taps;
  for (int z = -1; z <= 0; z++)
    for (int y = -1; y <= 0; y++)
      for (int x = -1; x <= 0; x++) taps.at[taps.count++] = z * s.plane + y * s.row + x;
  return taps;
}

// What the tasks of a layer need to add the results of its composed up-convolution.
struct Corners {
  const Up& up;
  Slabs fine, coarse;
  Taps taps;
  ptrdiff_t stride;  // floats between the phases of a piece

  Corners(const Up& up, const Slabs& fine)
      : up(up),
        fine(fine),
        coarse(halved(fine)),
        taps(cornerTaps(coarse)),
        stride(((rowsAtOnce(fine) / 2 + 1) * coarse.row + 31) / 16 * 16) {}
  size_t packedFloats() const { return (size_t)coarse.channel * (up.inputs + 1); }
  size_t phasesFloats() const { return (size_t)kPlanePhases * stride; }
};

// Composes the weights of the two layers; inputs are the fastest axis, so that the innermost loops can be vectorised.
// `up` is (between, 8 positions, inputs); the weights of the last input are the biases, which are the same for every
// position. `convolution` is (outputs, between, 27 taps); `composed` is (outputs, 8 phases, 8 taps, inputs). Sums are
// in double precision.
struct Composition {
  int inputs, between, outputs;

  size_t composedInOutput() const { return (size_t)64 * inputs; }
  size_t composedFloats() const { return outputs * composedInOutput(); }

  void compose(int o, const float* up, const float* convolution, float* composed) const {
    std::vector<double> sums(composedInOutput());
    each([&](int phase, int t, Reached reached) {
      double* sum = &sums[(8 * phase + reached.tap) * inputs];
      for (int u = 0; u < between; u++) {
        const double weight = convolution[(o * between + u) * 27 + t];
        const float* from = up + (8 * u + reached.position) * inputs;
        for (int c = 0; c < inputs; c++) sum[c] += weight * from[c];
      }
    });
    std::copy(sums.begin(), sums.end(), composed + o * composedInOutput());
  }

  // The gradient of the convolution weights of an output, (between, 27 taps), from that of the composed weights.
  void convolutionGradient(int o, const float* composed, const float* up, float* gradient) const {
    std::vector<double> sums((size_t)between * 27);
    composed += o * composedInOutput();
    each([&](int phase, int t, Reached reached) {
      const float* a = composed + (8 * phase + reached.tap) * inputs;
      for (int u = 0; u < between; u++) {
        const float* b = up + (8 * u + reached.position) * inputs;
        double sum = 0;
        for (int c = 0; c < inputs; c++) sum += (double)a[c] * b[c];
        sums[u * 27 + t] += sum;
      }
    });
    std::copy(sums.begin(), sums.end(), gradient);
  }

  // The gradient of the up-convolution weights of an output, (8 positions, inputs).
  void upGradient(int u, const float* composed, const float* convolution, double* gradient) const {
    std::fill(gradient, gradient + (size_t)inputs * 8, 0.0);
    for (int o = 0; o < outputs; o++, composed += composedInOutput())
      each([&](int phase, int t, Reached reached) {
        const double weight = convolution[(o * between + u) * 27 + t];
        const float* from = composed + (8 * phase + reached.tap) * inputs;
        double* sum = gradient + reached.position * inputs;
        for (int c = 0; c < inputs; c++) sum[c] += weight * from[c];
      });
  }

 private:
  template <typename Work>
  static void each(Work work) {
    for (int phase = 0; phase < 8; phase++)
      for (int t = 0; t < 27; t++) work(phase, t, Reached(phase, t));
  }
};

}  // namespace lunet
