// Kernels that fill one plane of one channel of a packed slab (see kernels.h): rows of floats, each followed by one
// zero, and a zero row at the end. All operations between a stored activation and the input of a layer (scale and shift
// of batch norm and dropout, maximum, up-convolution; backward, the gradient through ReLU and batch norm) are computed
// here on load, so that their results are never stored.
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace {

using lunet::Rows;

// Writes rows of row(y, x, n) (a vector of the n <= L floats from x on), each followed by its zero.
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
    // Rounding is monotonic, so the maximum of scaled values is the scaled maximum (minimum for a negative scale).
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

// Up-convolves T vectors of coarse voxels, or the first n <= L voxels of one, to both fine rows. Reads whole vectors.
template <int T>
LUNET_INLINE void up_tile(int n, float* packed, ptrdiff_t stride, int inputs, const float* source,
                          ptrdiff_t sourceStride, const float* w) {
  V sum[4][T];
#pragma GCC unroll 4
  for (int position = 0; position < 4; position++)
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) sum[position][t] = splat(w[position]);
  for (int c = 0; c < inputs; c++, source += sourceStride) {
    w += 4;
    V in[T];
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) in[t] = load(source + t * L);
#pragma GCC unroll 4
    for (int position = 0; position < 4; position++)
#pragma GCC unroll 4
      for (int t = 0; t < T; t++) sum[position][t] += splat(w[position]) * in[t];
  }
#pragma GCC unroll 2
  for (int row = 0; row < 2; row++)
#pragma GCC unroll 4
    for (int t = 0; t < T; t++)
      store_pairs(packed + row * stride + 2 * t * L, n, interleave_low(sum[2 * row][t], sum[2 * row + 1][t]),
                  interleave_high(sum[2 * row][t], sum[2 * row + 1][t]));
}

inline void pack_up(Rows to, float* packed, int inputs, const float* source, ptrdiff_t sourceStride, const float* w) {
  const int width = to.width / 2;
  for (int y = 0; y < to.rows; y += 2, source += width, packed += 2 * to.stride) {
    int x = 0;
    for (; x + 2 * L <= width; x += 2 * L)
      up_tile<2>(L, packed + 2 * x, to.stride, inputs, source + x, sourceStride, w);
    for (; x < width; x += L)
      up_tile<1>(width - x < L ? width - x : L, packed + 2 * x, to.stride, inputs, source + x, sourceStride, w);
    packed[to.width] = packed[to.stride + to.width] = 0;
  }
  for (int x = 0; x < to.stride; x++) packed[x] = 0;
}

inline void split_phases(Rows from, const float* packed, float* phases, ptrdiff_t phase, ptrdiff_t row) {
  const int width = from.width / 2;
  // Corners on the faces of the volume have phases outside of it.
  for (int x = 0; x <= width; x++) {
    float* last = phases + from.rows / 2 * row + x;
    last[0] = last[phase] = phases[2 * phase + x] = phases[3 * phase + x] = 0;
  }
  for (int y = 0; y < from.rows; y++, packed += from.stride) {
    float* even = phases + y % 2 * 2 * phase + (y + 1) / 2 * row;
    float* odd = even + phase;
    odd[0] = even[width] = 0;
    each_lanes(width, [=](int x, int n) LUNET_INLINE_LAMBDA {
      V a, b;
      load_pairs(packed + 2 * x, n, a, b);
      store_lanes(even + x, even_lanes(a, b), n);
      store_lanes(odd + 1 + x, odd_lanes(a, b), n);
    });
  }
}

}  // namespace
