// The convolution kernel for one or two outputs, for which `correlate` would be limited by its loads: here each loaded
// input vector is used for the three output rows that it contributes to. Loop order: groups of rows; tile of voxels
// along a row; inputs; planes and columns of the taps; rows of inputs; rows of outputs x vectors in registers. A
// register tile is 8 rows x 2 vectors with 32 registers (4 x 2 with 16), half the rows for two outputs: 20 loads and 3
// weights for 48 fused multiply-adds. Limit: multiply-adds, if rows fill whole vectors.
#pragma once
#include "kernels/simd.h"

namespace {

template <int O, int R, int T>
LUNET_INLINE void rows_tile(const float* x, ptrdiff_t xStride, int inputs, ptrdiff_t plane, ptrdiff_t row,
                            const float* w, float* out, ptrdiff_t outStride) {
  V sum[O][R][T];
#pragma GCC unroll 2
  for (int o = 0; o < O; o++)
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int t = 0; t < T; t++) sum[o][r][t] = zero();
  for (int c = 0; c < inputs; c++, x += xStride)
    for (int z = -1; z <= 1; z++)
      for (int column = -1; column <= 1; column++, w += 3 * O) {
        const float* at = x + z * plane + column - row;
        V weight[3][O];
#pragma GCC unroll 3
        for (int y = 0; y < 3; y++)
#pragma GCC unroll 2
          for (int o = 0; o < O; o++) weight[y][o] = splat(w[y * O + o]);
#pragma GCC unroll 10
        for (int in = 0; in < R + 2; in++, at += row)
#pragma GCC unroll 2
          for (int t = 0; t < T; t++) {
            V v = load(at + t * L);
            hold(v);
#pragma GCC unroll 3
            for (int y = 0; y < 3; y++)
              if (in >= y && in - y < R)
#pragma GCC unroll 2
                for (int o = 0; o < O; o++) sum[o][in - y][t] += weight[y][o] * v;
          }
      }
#pragma GCC unroll 2
  for (int o = 0; o < O; o++)
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int t = 0; t < T; t++) store(out + o * outStride + r * row + t * L, sum[o][r][t]);
}

// R rows at a time, then half as many. Tiles go from right to left, since the last tile of a row may overwrite the
// start of the next row.
template <int O, int R>
void rows_width(const float* x, ptrdiff_t xStride, int inputs, ptrdiff_t plane, ptrdiff_t row, const float* w,
                float* out, ptrdiff_t outStride, int rows, int width) {
  const int pairs = width / (2 * L) * 2 * L;
  int r = 0;
  for (; r + R <= rows; r += R, x += R * row, out += R * row) {
    for (int i = (width - 1) / L * L; i >= pairs; i -= L)
      rows_tile<O, R, 1>(x + i, xStride, inputs, plane, row, w, out + i, outStride);
    for (int i = pairs - 2 * L; i >= 0; i -= 2 * L)
      rows_tile<O, R, 2>(x + i, xStride, inputs, plane, row, w, out + i, outStride);
  }
  if constexpr (R > 1)
    if (r < rows) rows_width<O, R / 2>(x, xStride, inputs, plane, row, w, out, outStride, rows - r, width);
}

inline void correlate_rows(int outputs, const float* x, ptrdiff_t xStride, int inputs, ptrdiff_t plane, ptrdiff_t row,
                           const float* w, float* out, ptrdiff_t outStride, int rows, int width) {
  constexpr int kRows = LUNET_REGISTERS / 4;
  if (outputs == 1) return rows_width<1, kRows>(x, xStride, inputs, plane, row, w, out, outStride, rows, width);
  rows_width<2, kRows / 2>(x, xStride, inputs, plane, row, w, out, outStride, rows, width);
}

}  // namespace
