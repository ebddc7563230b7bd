// The convolution kernel: forward pass, input gradient (with flipped weights) and, with one tap, the input gradient of
// the up-convolution. Loop order: tile of voxels; inputs; taps; outputs x vectors in registers. A register tile is
// `outputs` x T vectors with T = (registers - 1) / (outputs + 1), so that the sums, T input vectors and one weight fit:
// 4 outputs x 6 vectors with 32 registers. Per tap it loads T vectors and `outputs` weights for outputs*T fused
// multiply-adds. Limit: with 3 outputs or fewer, the loads of unaligned vectors (two cache lines each).
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace {

template <int O, int T>
LUNET_INLINE void correlate_tile(const float* x, ptrdiff_t xStride, int inputs, const ptrdiff_t* offsets, int taps,
                                 const float* w, bool more, float* out, ptrdiff_t outStride) {
  V sum[O][T];
#pragma GCC unroll 16
  for (int o = 0; o < O; o++)
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) sum[o][t] = more ? load(out + o * outStride + t * L) : zero();
  for (int c = 0; c < inputs; c++, x += xStride) {
    for (int tap = 0; tap < taps; tap++, w += O) {
      const float* at = x + offsets[tap];
      V in[T];
#pragma GCC unroll 16
      for (int t = 0; t < T; t++) in[t] = load(at + t * L);
#pragma GCC unroll 16
      for (int o = 0; o < O; o++) {
        const V weight = splat(w[o]);
#pragma GCC unroll 16
        for (int t = 0; t < T; t++) sum[o][t] += weight * in[t];
      }
    }
  }
#pragma GCC unroll 16
  for (int o = 0; o < O; o++)
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) store(out + o * outStride + t * L, sum[o][t]);
}

template <int O>
void correlate_width(const float* x, ptrdiff_t xStride, int inputs, const ptrdiff_t* offsets, int taps, const float* w,
                     bool more, float* out, ptrdiff_t outStride, int count) {
  constexpr int T = (LUNET_REGISTERS - 1) / (O + 1);
  static_assert(T * L <= lunet::kLongestTile, "callers reserve space for a tile");
  constexpr int Half = T > 1 ? (T + 1) / 2 : 1;
  int i = 0;
  for (; i + (T - 1) * L < count; i += T * L)
    correlate_tile<O, T>(x + i, xStride, inputs, offsets, taps, w, more, out + i, outStride);
  for (; i + (Half - 1) * L < count; i += Half * L)
    correlate_tile<O, Half>(x + i, xStride, inputs, offsets, taps, w, more, out + i, outStride);
  for (; i < count; i += L) correlate_tile<O, 1>(x + i, xStride, inputs, offsets, taps, w, more, out + i, outStride);
}

inline void correlate(int outputs, const float* x, ptrdiff_t xStride, int inputs, const ptrdiff_t* offsets, int taps,
                      const float* w, bool more, float* out, ptrdiff_t outStride, int count) {
  switch (outputs) {
#define LUNET_WIDTH(O) \
  case O:              \
    return correlate_width<O>(x, xStride, inputs, offsets, taps, w, more, out, outStride, count);
    LUNET_WIDTH(1)
    LUNET_WIDTH(2)
    LUNET_WIDTH(3)
    LUNET_WIDTH(4)
    LUNET_WIDTH(5)
    LUNET_WIDTH(6)
    LUNET_WIDTH(7)
    LUNET_WIDTH(8)
#undef LUNET_WIDTH
  }
  static_assert(lunet::kWidestBlock == 8, "a case for each width");
}

}  // namespace
