// Kernels that copy the packed results of `correlate` into dense volumes and compute the sums for the next pass while
// the values are in registers.
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace {

using lunet::Rows;

// Calls row(packed offset, dense offset, n) for each vector of n <= L floats.
template <typename Row>
LUNET_INLINE void each_vector(Rows from, Row row) {
  for (int y = 0; y < from.rows; y++)
    for (int x = 0; x < from.width; x += L)
      row(y * from.stride + x, (ptrdiff_t)y * from.width + x, from.width - x < L ? from.width - x : L);
}

// Whether all vectors of dense rows are whole and aligned, which `stream` requires.
LUNET_INLINE bool can_stream(Rows rows, const float* out) { return rows.width % L == 0 && is_aligned(out); }
LUNET_INLINE void put(float* p, V v, int n, bool past) { past ? stream(p, v) : store_lanes(p, v, n); }

inline void unpack_relu(Rows from, const float* packed, float bias, float* out, bool past, double* sums) {
  const V b = splat(bias);
  past = past && can_stream(from, out);
  V sum = zero(), squares = zero();
  each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n) LUNET_INLINE_LAMBDA {
    const V value = load_lanes(packed + at, n) + b;
    V a = vmax(value, zero());
    put(out + to, a, n, past);
    if (n < L) a = load_first(out + to, n);
    sum += a;
    squares += a * value;  // a squared, or NaN if the value is minus infinity
  });
  sums[0] += sum_lanes(sum);
  sums[1] += sum_lanes(squares);
}

inline void unpack_gradient(Rows from, const float* packed, float* out, const float* activation, bool past,
                            double* sums) {
  past = past && can_stream(from, out);
  if (!activation) {
    each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n)
                          LUNET_INLINE_LAMBDA { put(out + to, load_lanes(packed + at, n), n, past); });
    return;
  }
  V sum = zero(), products = zero();
  each_vector(from, [&](ptrdiff_t at, ptrdiff_t to, int n) LUNET_INLINE_LAMBDA {
    const V g = load_lanes(packed + at, n);
    put(out + to, g, n, past);
    sum += g;
    products += g * load_lanes(activation + to, n);
  });
  sums[0] += sum_lanes(sum);
  sums[1] += sum_lanes(products);
}

inline void add_phases(Rows to, float* packed, int y, const float* phases, ptrdiff_t phase, ptrdiff_t row) {
  const int width = to.width / 2;
  for (const int first = (y + 1) / 2, end = y + to.rows; y < end; y++, packed += to.stride) {
    const float* even = phases + y % 2 * 2 * phase + ((y + 1) / 2 - first) * row;
    const float* odd = even + phase + 1;
    each_lanes(width, [=](int x, int n) LUNET_INLINE_LAMBDA {
      const V a = load_lanes(even + x, n), b = load_lanes(odd + x, n);
      V low, high;
      load_pairs(packed + 2 * x, n, low, high);
      store_pairs(packed + 2 * x, n, low + interleave_low(a, b), high + interleave_high(a, b));
    });
  }
}

inline void unpack_positions(Rows from, const float* packed, int y, float* out, ptrdiff_t position, bool past) {
  const int width = from.width / 2;
  past = past && width % L == 0 && position % L == 0 && is_aligned(out);
  for (const int end = y + from.rows; y < end; y++, packed += from.stride) {
    float* to = out + y % 2 * 2 * position + (ptrdiff_t)(y / 2) * width;
    each_lanes(width, [=](int x, int n) LUNET_INLINE_LAMBDA {
      V a, b;
      load_pairs(packed + 2 * x, n, a, b);
      put(to + x, even_lanes(a, b), n, past);
      put(to + position + x, odd_lanes(a, b), n, past);
    });
  }
}

}  // namespace
