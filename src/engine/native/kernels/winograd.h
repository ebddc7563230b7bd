// Winograd's algorithm F(2,3) along depth. Two output planes of a 3x3x3 convolution are computed from four transformed
// planes. Each is the sum or difference of two input planes and gets a 3x3 convolution. This takes 4*9 multiply-adds
// instead of 2*27 (Winograd 1980; Lavin and Gray 2016). With g the weights along depth and d the four input planes of
// the two output planes y:
//   planes   X = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
//   weights  U = (g0, (g0 + g1 + g2)/2, (g0 - g1 + g2)/2, g2)
//   y0 = U0 X0 + U1 X1 + U2 X2,  y1 = U1 X1 - U2 X2 - U3 X3
// Loop order: voxels, a vector at a time. Limit: cache bandwidth.
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace {

inline void winograd_input(int count, const float* const* d, float* packed, ptrdiff_t plane) {
  const float *p0 = d[0], *p1 = d[1], *p2 = d[2], *p3 = d[3];
  each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    const V d0 = load_lanes(p0 + i, n), d1 = load_lanes(p1 + i, n), d2 = load_lanes(p2 + i, n),
            d3 = load_lanes(p3 + i, n);
    store_lanes(packed + i, d0 - d2, n);
    store_lanes(packed + plane + i, d1 + d2, n);
    store_lanes(packed + 2 * plane + i, d2 - d1, n);
    store_lanes(packed + 3 * plane + i, d1 - d3, n);
  });
}

inline void winograd_gradient(int count, const float* const* d, float* packed, ptrdiff_t plane) {
  winograd_input(count, d, packed, plane);
  const float *p1 = d[1], *p2 = d[2];
  each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    store_lanes(packed + 4 * plane + i, load_lanes(p1 + i, n), n);
    store_lanes(packed + 5 * plane + i, load_lanes(p2 + i, n), n);
  });
}

inline void winograd_output(int outputs, int count, float* results, ptrdiff_t stride) {
  const ptrdiff_t plane = lunet::kWidestBlock * stride;
  for (int o = 0; o < outputs; o++, results += stride) {
    float* to = results;
    each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
      const V m1 = load_lanes(to + plane + i, n), m2 = load_lanes(to + 2 * plane + i, n);
      store_lanes(to + i, load_lanes(to + i, n) + (m1 + m2), n);
      store_lanes(to + plane + i, m1 - m2 - load_lanes(to + 3 * plane + i, n), n);
    });
  }
}

}  // namespace
