// Kernels that take what `correlate` left in packed rows to where it belongs, dense, and gather the sums that the
// next pass needs, while the values are in registers.
#pragma once
#include "kernels.h"
#include "simd.h"

namespace {

using lunet::Rows;

// Calls row(packed offset, dense offset, n) for each vector of n <= L floats.
template <typename Row>
LUNET_INLINE void each_vector(Rows from, Row row) {
  for (int y = 0; y < from.rows; y++)
    for (int x = 0; x < from.width; x += L)
      row(y * from.stride + x, (ptrdiff_t)y * from.width + x, from.width - x < L ? from.width - x : L);
}

inline void add_shifted(int outputs, int count, float* x, float* out, ptrdiff_t stride) {
  for (int o = 0; o < outputs; o++, x += 3 * stride, out += stride) {
    x[-1] = 0;
    for (int i = 0; i < count; i += L)
      store(out + i, load(x + i - 1) + load(x + stride + i) + load(x + 2 * stride + i + 1));
  }
}

inline void unpack_relu(Rows from, const float* packed, float bias, float* out, double* sums) {
  const V b = splat(bias);
  V sum = zero(), squares = zero();
  each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n) LUNET_INLINE_LAMBDA {
    V a = vmax(load_lanes(packed + at, n) + b, zero());
    store_lanes(out + to, a, n);
    if (n < L) a = load_first(out + to, n);
    sum += a;
    squares += a * a;
  });
  sums[0] += sum_lanes(sum);
  sums[1] += sum_lanes(squares);
}

inline void unpack_gradient(Rows from, const float* packed, float* out, const float* activation, double* sums) {
  if (!activation) {
    each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n)
                          LUNET_INLINE_LAMBDA { store_lanes(out + to, load_lanes(packed + at, n), n); });
    return;
  }
  V sum = zero(), products = zero();
  each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n) LUNET_INLINE_LAMBDA {
    const V g = load_lanes(packed + at, n);
    store_lanes(out + to, g, n);
    sum += g;
    products += g * load_lanes(activation + to, n);
  });
  sums[0] += sum_lanes(sum);
  sums[1] += sum_lanes(products);
}

inline void unpack_interleaved(Rows from, const float* even, const float* odd, float bias, float* out,
                               ptrdiff_t outStride) {
  const V b = splat(bias);
  for (int y = 0; y < from.rows; y++) {
    const float *e = even + y * from.stride, *o = odd + y * from.stride;
    float* to = out + y * outStride;
    int x = 0;
    for (; x + L <= from.width; x += L) {
      const V ve = load(e + x) + b, vo = load(o + x) + b;
      store(to + 2 * x, interleave_low(ve, vo));
      store(to + 2 * x + L, interleave_high(ve, vo));
    }
    for (; x < from.width; x++) {
      to[2 * x] = e[x] + bias;
      to[2 * x + 1] = o[x] + bias;
    }
  }
}

}  // namespace
