// The backward pass of max pooling. The forward pass is in pack_plane.h: a pooled volume is never stored, so the
// position of each maximum is found again here. If values are equal, the first one gets the gradient. Equal values
// after a ReLU are usually zeros, through which no gradient flows, so the choice has no effect.
#pragma once
#include "kernels/simd.h"

namespace {

inline void unpool_row(int width, const float* pooled, const float* activation, float* gradient, const ptrdiff_t* rows,
                       bool positive, bool fresh, double* sums) {
  V sum = zero(), products = zero();
  int x = 0;
  for (; x + L <= width; x += L) {
    V a[8];  // the 2x2x2 voxels in scan order (z, y, x), one coarse voxel per lane
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
      const V first = load(activation + rows[r] + 2 * x), second = load(activation + rows[r] + 2 * x + L);
      a[2 * r] = even_lanes(first, second);
      a[2 * r + 1] = odd_lanes(first, second);
    }
    V best = a[0];
#pragma GCC unroll 8
    for (int i = 1; i < 8; i++) best = positive ? vmax(best, a[i]) : vmin(best, a[i]);
    V left = load(pooled + x);
    V g[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      const M here = a[i] == best;
      g[i] = select(here, left, zero());
      left = select(here, zero(), left);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
      float* to = gradient + rows[r] + 2 * x;
      V low = interleave_low(g[2 * r], g[2 * r + 1]), high = interleave_high(g[2 * r], g[2 * r + 1]);
      if (!fresh) {
        low += load(to);
        high += load(to + L);
      }
      store(to, low);
      store(to + L, high);
      sum += low + high;
      products += low * load(activation + rows[r] + 2 * x) + high * load(activation + rows[r] + 2 * x + L);
    }
  }
  float total = sum_lanes(sum), product = sum_lanes(products);
  for (; x < width; x++) {
    float best = activation[rows[0] + 2 * x];
    int where = 0;
    for (int i = 1; i < 8; i++) {
      const float a = activation[rows[i / 2] + 2 * x + i % 2];
      if (positive ? a > best : a < best) {
        best = a;
        where = i;
      }
    }
    for (int i = 0; i < 8; i++) {
      const ptrdiff_t at = rows[i / 2] + 2 * x + i % 2;
      const float g = (fresh ? 0.0f : gradient[at]) + (i == where ? pooled[x] : 0.0f);
      gradient[at] = g;
      total += g;
      product += g * activation[at];
    }
  }
  sums[0] += total;
  sums[1] += product;
}

}  // namespace
