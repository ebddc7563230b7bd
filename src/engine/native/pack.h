// Kernels that fill one plane of one channel of a packed slab (see kernels.h): rows of floats, each with one zero
// behind it, and a zero row at the end. What a layer's input is made of (scale and shift of batch norm and dropout,
// maximum, gradient through ReLU and batch norm) is computed here, on load, so that it is never stored.
#pragma once
#include "kernels.h"
#include "simd.h"

namespace {

using lunet::Rows;

// Writes rows of row(y, x, n) (a vector of the n <= L floats from x on) with the zeros behind.
template <typename Row>
LUNET_INLINE void pack_rows(Rows to, float* packed, Row row) {
  for (int y = 0; y < to.rows; y++, packed += to.stride) {
    int x = 0;
    for (; x + L <= to.width; x += L) store(packed + x, row(y, x, L));
    if (x < to.width) store_first(packed + x, row(y, x, to.width - x), to.width - x);
    packed[to.width] = 0;
  }
  for (int x = 0; x < to.stride; x++) packed[x] = 0;
}

inline void pack_affine(Rows to, float* packed, const float* source, float scale, float shift) {
  const V s = splat(scale), t = splat(shift);
  pack_rows(to, packed, [=](int y, int x, int n) LUNET_INLINE_LAMBDA {
    return load_lanes(source + (ptrdiff_t)y * to.width + x, n) * s + t;
  });
}

// 2n floats at p as two vectors, of which only the first 2n are read.
LUNET_INLINE void load_pairs(const float* p, int n, V& first, V& second) {
  if (n == L) {
    first = load(p);
    second = load(p + L);
  } else {
    first = load_lanes(p, 2 * n < L ? 2 * n : L);
    second = 2 * n > L ? load_first(p + L, 2 * n - L) : zero();
  }
}

inline void pack_pooled(Rows to, float* packed, const float* source, ptrdiff_t planeStride, float scale, float shift) {
  const ptrdiff_t fine = 2 * (ptrdiff_t)to.width;
  const bool positive = scale >= 0;
  const V s = splat(scale), t = splat(shift);
  pack_rows(to, packed, [=](int y, int x, int n) LUNET_INLINE_LAMBDA {
    const float* at = source + 2 * y * fine + 2 * x;
    V a0, b0, a1, b1, a2, b2, a3, b3;
    load_pairs(at, n, a0, b0);
    load_pairs(at + fine, n, a1, b1);
    load_pairs(at + planeStride, n, a2, b2);
    load_pairs(at + planeStride + fine, n, a3, b3);
    // Rounding keeps order, so the maximum of scaled values is the scaled maximum (minimum for a negative scale).
    const V a = positive ? vmax(vmax(a0, a1), vmax(a2, a3)) : vmin(vmin(a0, a1), vmin(a2, a3));
    const V b = positive ? vmax(vmax(b0, b1), vmax(b2, b3)) : vmin(vmin(b0, b1), vmin(b2, b3));
    const V even = even_lanes(a, b), odd = odd_lanes(a, b);
    return (positive ? vmax(even, odd) : vmin(even, odd)) * s + t;
  });
}

inline double pack_gradient(Rows to, float* packed, const float* gradient, const float* activation, float a, float b,
                            float c, float threshold) {
  const V va = splat(a), vb = splat(b), vc = splat(c), limit = splat(threshold);
  V sum = zero();
  pack_rows(to, packed, [&](int y, int x, int n) LUNET_INLINE_LAMBDA {
    const ptrdiff_t at = (ptrdiff_t)y * to.width + x;
    const V act = load_lanes(activation + at, n);
    V d = select(act > limit, load_lanes(gradient + at, n) * va + act * vb + vc, zero());
    if (n < L && threshold < 0) d = load_lanes((const float*)&d, n);
    sum += d;
    return d;
  });
  return sum_lanes(sum);
}

inline double pack_every_second(Rows to, float* packed, const float* source, ptrdiff_t sourceStride) {
  V sum = zero();
  pack_rows(to, packed, [&](int y, int x, int n) LUNET_INLINE_LAMBDA {
    V a, b;
    const float* at = source + y * sourceStride + 2 * x;
    if (n == L && x + L < to.width) {
      a = load(at);
      b = load(at + L);
    } else {
      // The float behind the last one wanted may lie outside the volume.
      const int floats = 2 * n - 1;
      a = load_lanes(at, floats < L ? floats : L);
      b = floats > L ? load_first(at + L, floats - L) : zero();
    }
    const V even = even_lanes(a, b);
    sum += even;
    return even;
  });
  return sum_lanes(sum);
}

}  // namespace
