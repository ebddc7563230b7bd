// A 3x3x3 convolution of packed slabs: its form (one of three), the order of its packed weights, and the computation of
// a piece of its result. The forward pass is such a convolution, and so is the input gradient, with flipped weights.
//   direct:   27 taps.
//   narrow:   for one or two outputs and rows of a vector or more, the kernel of correlate_rows.h.
//   winograd: two planes at a time (see winograd.h), if there are enough channels to outweigh the transforms before and
//             after it.
#pragma once
#include <algorithm>

#include "kernels/kernels.h"
#include "network/plan.h"
#include "network/slabs.h"

namespace lunet {

// Splits `channels` into blocks of nearly equal width, at most `most` wide: the first channel and width of block i.
struct Blocks {
  int channels, count;
  Blocks(int channels, int most) : channels(channels), count((channels + most - 1) / most) {}
  int first(int i) const { return (int)((long)channels * i / count); }
  int width(int i) const { return first(i + 1) - first(i); }
};

// Blocks for the convolution kernel. With 32 registers blocks of eight outputs are the fastest; with 16, blocks of
// four, or of up to five if four does not divide the channels.
inline Blocks outputBlocks(const Kernels& k, int channels) {
  return Blocks(channels, k.lanes == kMostLanes ? kWidestBlock : channels % 4 == 0 ? 4 : 5);
}

enum class Form { direct, narrow, winograd };

struct Convolution {
  int inputs, outputs;
  Form form;
  Blocks blocks;
  int perPair;  // packed weights of one input and output

  Convolution(const Kernels& k, Size size, bool winograd, int inputs, int outputs)
      : inputs(inputs),
        outputs(outputs),
        form(winograd                            ? Form::winograd
             : outputs <= 2 && size.w >= k.lanes ? Form::narrow
                                                 : Form::direct),
        blocks(outputBlocks(k, outputs)),
        perPair(winograd ? kWinogradWeights : 27) {}

  // A convolution with another number of taps than 3x3x3.
  Convolution(const Kernels& k, int taps, int inputs, int outputs)
      : inputs(inputs), outputs(outputs), form(Form::direct), blocks(outputBlocks(k, outputs)), perPair(taps) {}

  // Packs weights in the order that `convolve` reads; value(output, input, tap) is a weight.
  template <typename Value>
  void packWeights(float* to, Value value) const {
    for (int b = 0; b < blocks.count; b++) {
      const int first = blocks.first(b), end = blocks.first(b + 1);
      if (form == Form::winograd) {
        for (int plane = 0; plane < kWinogradPlanes; plane++)
          for (int c = 0; c < inputs; c++)
            for (int t = 0; t < 9; t++)
              for (int o = first; o < end; o++) {
                const float g0 = value(o, c, t), g1 = value(o, c, 9 + t), g2 = value(o, c, 18 + t);
                *to++ = plane == 0 ? g0 : plane == 1 ? 0.5f * (g0 + g1 + g2) : plane == 2 ? 0.5f * (g0 - g1 + g2) : g2;
              }
      } else if (form == Form::narrow) {
        for (int c = 0; c < inputs; c++)
          for (int z = 0; z < 27; z += 9)
            for (int x = 0; x < 3; x++)
              for (int y = 0; y < 9; y += 3)
                for (int o = first; o < end; o++) *to++ = value(o, c, z + y + x);
      } else {
        for (int c = 0; c < inputs; c++)
          for (int t = 0; t < perPair; t++)
            for (int o = first; o < end; o++) *to++ = value(o, c, t);
      }
    }
  }
};

// Offsets of taps in a packed channel, in the order of PyTorch's weights. Without `depth` or `columns`, only the middle
// taps along that axis.
struct Taps {
  ptrdiff_t at[27];
  int count = 0;
  Taps() = default;
  Taps(const Slabs& s, bool depth, bool columns) {
    for (int z = depth ? -1 : 0; z <= (depth ? 1 : 0); z++)
      for (int y = -1; y <= 1; y++)
        for (int x = columns ? -1 : 0; x <= (columns ? 1 : 0); x++) at[count++] = z * s.plane + y * s.row + x;
  }
};

// Result rows of a slab are computed a few at a time, so that they stay in the first-level cache: 16 rows of 64 voxels
// and one zero.
constexpr int kFloatsAtOnce = 16 * 65;
inline int rowsAtOnce(const Slabs& s) { return (int)std::max<ptrdiff_t>(1, kFloatsAtOnce / s.row); }
// The stride between the results of two outputs, and the floats of all results of a thread.
inline ptrdiff_t resultStride(const Slabs& s) {
  return (rowsAtOnce(s) * s.row + kLongestTile + kMostLanes) / kMostLanes * kMostLanes;
}
inline size_t resultFloats(const Slabs& s) {
  return (s.winograd ? kWinogradPlanes : 1) * kWidestBlock * resultStride(s) + kMostLanes;
}

// Computes packed rows [from, to) of a slab for block b of the outputs. The results of the outputs are in `results` at
// multiples of resultStride; with Winograd's algorithm the results of each further plane follow kWidestBlock strides
// later. `x` is the first packed channel of the slab; channels are `xStride` apart.
inline void convolve(const Kernels& k, const Convolution& convolution, const Slabs& s, const Taps& taps, int b,
                     const float* x, ptrdiff_t xStride, const float* weights, int from, int to, float* results) {
  const ptrdiff_t stride = resultStride(s);
  const int width = convolution.blocks.width(b), inputs = convolution.inputs, count = (int)((to - from) * s.row);
  const float* w = weights + (size_t)convolution.blocks.first(b) * inputs * convolution.perPair;
  // A few inputs at a time, so that their rows stay in the first-level cache for the whole piece.
  const auto correlate = [&](const float* at, float* out) {
    constexpr int kInputs = 8;
    int c = 0;
    do {  // also once without inputs, to write zeros
      const int some = std::min(kInputs, inputs - c);
      k.correlate(width, at + c * xStride, xStride, some, taps.at, taps.count, w, c > 0, out, stride, count);
      w += (size_t)some * taps.count * width;
    } while ((c += kInputs) < inputs);
  };
  const float* first = x + s.origin + from * s.row;
  switch (convolution.form) {
    case Form::direct:
      return correlate(first, results);
    case Form::narrow:
      return k.correlate_rows(width, first, xStride, inputs, s.plane, s.row, w, results, stride, to - from, s.size.w);
    case Form::winograd:
      for (int plane = 0; plane < kWinogradPlanes; plane++)
        correlate(first + plane * s.transformed, results + plane * kWidestBlock * stride);
      return k.winograd_output(width, count, results, stride);
  }
}

// Rows of a plane of a case.
struct Piece {
  int n, z, y, rows;
  // The index of the first row in a dense volume.
  size_t at(Size size) const { return ((size_t)z * size.h + y) * size.w; }
};

// Calls work(piece, offset in results) for each piece, consecutive rows of one plane, of the packed rows [from, to) of
// a slab; skips padding. Packed rows count from the first output plane.
template <typename Work>
void eachPiece(const Slabs& s, int slab, int from, int to, Work work) {
  const int height = s.size.h + 1, planes = s.planesIn(slab);
  const int perCase = s.winograd ? (planes + 1) / 2 : planes + 1;
  for (int row = from; row < to;) {
    const int plane = row / height, y = row % height;
    const int next = std::min(to, (plane + 1) * height);
    const int n = s.firstCase(slab) + plane / perCase, at = plane % perCase;
    const int rows = std::min(next - row, s.size.h - y), z = s.winograd ? 2 * at : at;
    const ptrdiff_t offset = (row - from) * s.row;
    if (rows > 0 && z < planes) work(Piece{n, s.firstPlane(slab) + z, y, rows}, offset);
    if (rows > 0 && s.winograd && z + 1 < planes)
      work(Piece{n, s.firstPlane(slab) + z + 1, y, rows}, offset + kWidestBlock * resultStride(s));
    row = next;
  }
}

}  // namespace lunet
