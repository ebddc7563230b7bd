// The weight-gradient kernel: sums over voxels of products of the gradient of every output with every shifted input.
// Loop order: groups of factors (inputs x taps); voxels; outputs x factors in registers, which keep their vector sums
// over a whole run of voxels and are reduced once at its end. A register tile is 4 outputs x 6 factors with 32
// registers (4 x 3 with 16), with fewer outputs up to 9 factors. The smaller group, outputs or factors, is held in
// registers; the vectors of the other are loaded one by one: 10 loads for 24 fused multiply-adds, 7 for 12. Limit: with
// 1 or 2 outputs the loads, most of which cross a cache line. The caller keeps runs short enough (2048 voxels) for dy
// to stay in the first-level cache.
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

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
  const auto add = [&](int i, int n) LUNET_INLINE_LAMBDA {
    constexpr bool kHoldFactors = K < O;
    V held[kHoldFactors ? K : O];
#pragma GCC unroll 16
    for (int h = 0; h < (kHoldFactors ? K : O); h++) {
      held[h] = load_lanes((kHoldFactors ? at[h] : dy + h * dyStride) + i, n);
      hold(held[h]);
    }
#pragma GCC unroll 16
    for (int p = 0; p < (kHoldFactors ? O : K); p++) {
      V passing = load_lanes((kHoldFactors ? dy + p * dyStride : at[p]) + i, n);
      if (O > 1) hold(passing);
#pragma GCC unroll 16
      for (int h = 0; h < (kHoldFactors ? K : O); h++) (kHoldFactors ? sum[p][h] : sum[h][p]) += held[h] * passing;
    }
  };
  each_lanes(count, add);
#pragma GCC unroll 16
  for (int o = 0; o < O; o++)
#pragma GCC unroll 16
    for (int k = 0; k < K; k++) sums[o * sumStride + k] += sum_lanes(sum[o][k]);
}

template <int O>
void products_width(const float* dy, ptrdiff_t dyStride, const float* const* x, int factors, int count, float* sums,
                    ptrdiff_t sumStride) {
  constexpr auto fits = [](int k) { return O * k + (k < O ? k : O) + 1 <= LUNET_REGISTERS; };
  constexpr int K = fits(9) ? 9 : fits(6) ? 6 : 3;
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
  static_assert(lunet::kProductsBlock == 4, "a case for each width");
}

}  // namespace
