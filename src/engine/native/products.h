// The weight-gradient kernel: sums over voxels of products of every output's gradient with every shifted input.
// Loop order: groups of factors (inputs x taps); voxels; outputs x factors in registers, kept there over the whole run
// and added up once at its end. A tile is 4 outputs x 6 factors with 32 registers (4 x 2 with 16), of fewer outputs 9
// factors: 10 loads for 24 fused multiply-adds. Limit: with 1 or 2 outputs the loads, most of which cross a cache line.
// The caller keeps runs short enough (2048 voxels) for dy to stay in the first-level cache.
#pragma once
#include "simd.h"

namespace {

template <int O, int K>
LUNET_INLINE void products_tile(const float* dy, ptrdiff_t dyStride, const float* const* x, int count, float* sums,
                                ptrdiff_t sumStride) {
  V sum[O][K];
  const float* at[K];
#pragma GCC unroll 16
  for (int k = 0; k < K; k++) {
    at[k] = x[k];
#pragma GCC unroll 16
    for (int o = 0; o < O; o++) sum[o][k] = zero();
  }
  int i = 0;
  for (; i + L <= count; i += L) {
    V d[O];
#pragma GCC unroll 16
    for (int o = 0; o < O; o++) d[o] = load(dy + o * dyStride + i);
#pragma GCC unroll 16
    for (int k = 0; k < K; k++) {
      V in = load(at[k] + i);
      if (O > 1) hold(in);
#pragma GCC unroll 16
      for (int o = 0; o < O; o++) sum[o][k] += d[o] * in;
    }
  }
  if (i < count) {
    V d[O];
#pragma GCC unroll 16
    for (int o = 0; o < O; o++) d[o] = load_first(dy + o * dyStride + i, count - i);
#pragma GCC unroll 16
    for (int k = 0; k < K; k++) {
      const V in = load_first(at[k] + i, count - i);
#pragma GCC unroll 16
      for (int o = 0; o < O; o++) sum[o][k] += d[o] * in;
    }
  }
#pragma GCC unroll 16
  for (int o = 0; o < O; o++)
#pragma GCC unroll 16
    for (int k = 0; k < K; k++) sums[o * sumStride + k] += sum_lanes(sum[o][k]);
}

template <int O>
void products_width(const float* dy, ptrdiff_t dyStride, const float* const* x, int factors, int count, float* sums,
                    ptrdiff_t sumStride) {
  // The sums, the outputs' gradients and one input must fit the registers.
  constexpr int Fit = (LUNET_REGISTERS - 1 - O) / O;
  constexpr int K = Fit >= 9 ? 9 : Fit >= 6 ? 6 : Fit >= 3 ? 3 : Fit;
  constexpr int Rest = K > 3 ? 3 : 1;
  int k = 0;
  for (; k + K <= factors; k += K) products_tile<O, K>(dy, dyStride, x + k, count, sums + k, sumStride);
  for (; k + Rest <= factors; k += Rest) products_tile<O, Rest>(dy, dyStride, x + k, count, sums + k, sumStride);
  for (; k < factors; k++) products_tile<O, 1>(dy, dyStride, x + k, count, sums + k, sumStride);
}

inline void products(int outputs, const float* dy, ptrdiff_t dyStride, const float* const* x, int factors, int count,
                     float* sums, ptrdiff_t sumStride) {
  switch (outputs) {
#define LUNET_WIDTH(O) \
  case O:              \
    return products_width<O>(dy, dyStride, x, factors, count, sums, sumStride);
    LUNET_WIDTH(1)
    LUNET_WIDTH(2)
    LUNET_WIDTH(3)
    LUNET_WIDTH(4)
#undef LUNET_WIDTH
  }
}

}  // namespace
