// The loops of augmentation, compiled once for each instruction set. They are plain, so that the compiler makes vectors of any
// width of them: it neither reorders nor fuses float operations here (-ffp-contract=off), so all widths give the same bits.
#pragma once
#include "augmentation/steps.h"

namespace {

using lunet::Between;
using lunet::Geometry;
using lunet::Statistics;

#define LUNET_STEP inline __attribute__((always_inline))

LUNET_STEP int32_t bitsOf(float value) {
  int32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
LUNET_STEP float floatOf(int32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// Cephes, logf: src/augmentation/float32.ts says more.
LUNET_STEP float logarithm(float value) {
  const int32_t bits = bitsOf(value), mantissa = bits & 0x7fffff;
  const int32_t upper = mantissa > 0x3504f3 ? 1 : 0;
  const float exponent = (float)((bits >> 23) - 127 + upper);
  const float x = floatOf((mantissa | 0x3f800000) - (upper << 23)) - 1.0f;
  const float square = x * x;
  float sum = 7.0376836292e-2f;
  sum = sum * x + -1.1514610310e-1f;
  sum = sum * x + 1.1676998740e-1f;
  sum = sum * x + -1.2420140846e-1f;
  sum = sum * x + 1.4249322787e-1f;
  sum = sum * x + -1.6668057665e-1f;
  sum = sum * x + 2.0000714765e-1f;
  sum = sum * x + -2.4999993993e-1f;
  sum = sum * x + 3.3333331174e-1f;
  const float cube = sum * x * square;
  const float small = cube + exponent * -2.12194440e-4f - 0.5f * square;
  return x + small + exponent * 0.693359375f;
}

// Cephes, expf.
LUNET_STEP float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float magic = 12582912.0f;
  const float k = x * 1.44269504088896341f + magic - magic;
  const float r = x - k * 0.693359375f - k * -2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * r + 1.3981999507e-3f;
  sum = sum * r + 8.3334519073e-3f;
  sum = sum * r + 4.1665795894e-2f;
  sum = sum * r + 1.6666665459e-1f;
  sum = sum * r + 5.0000001201e-1f;
  return (sum * r * r + r + 1.0f) * floatOf(((int32_t)k + 127) << 23);
}

LUNET_STEP uint32_t mixBits(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

// Two normal numbers times `deviation`, from the hashes of two counters (Box-Muller).
LUNET_STEP void normals(uint32_t counter, const uint32_t* seed, float deviation, float& a, float& b) {
  const uint32_t length = mixBits(mixBits(counter + seed[0]) ^ seed[1]);
  const uint32_t turn = mixBits(mixBits(counter + 1u + seed[0]) ^ seed[1]);
  const float uniform = (float)(int32_t)((length >> 8) + 1u) * 5.9604644775390625e-8f;
  const float radius = __builtin_sqrtf(-2.0f * logarithm(uniform)) * deviation;
  const float x = ((float)(int32_t)(turn >> 6 & 0xffffff) * 5.9604644775390625e-8f - 0.5f) * 1.57079632679489662f;
  const float square = x * x;
  float s = -1.9515295891e-4f;
  s = s * square + 8.3321608736e-3f;
  s = s * square + -1.6666654611e-1f;
  s = s * square * x + x;
  float c = 2.443315711809948e-5f;
  c = c * square + -1.388731625493765e-3f;
  c = c * square + 4.166664568298827e-2f;
  c = c * square * square - 0.5f * square + 1.0f;
  const bool odd = turn >> 30 & 1;
  const int32_t sign = (int32_t)(turn & 0x80000000u);
  const float cosine = odd ? -s : c, sine = odd ? c : s;
  a = radius * floatOf(bitsOf(cosine) ^ sign);
  b = radius * floatOf(bitsOf(sine) ^ sign);
}

inline void noise(size_t count, float* voxels, float deviation, const uint32_t* seed) {
  const size_t half = (count + 1) / 2;
  float* __restrict first = voxels;
  float* __restrict second = voxels + half;
  const uint32_t own[2] = {seed[0], seed[1]};
  const uint32_t both = (uint32_t)(count - half);
  for (uint32_t i = 0; i < both; i++) {
    float a, b;
    normals(2 * i, own, deviation, a, b);
    first[i] += a;
    second[i] += b;
  }
  if (both == half) return;
  float a, b;
  normals(2 * both, own, deviation, a, b);
  first[both] += a;
}

constexpr int kChunk = 32;  // voxels of a row that are placed at a time

// Where voxels of a row lie along an axis: see `place` in oracle.ts.
struct Places {
  int low[kChunk], high[kChunk], nearest[kChunk];  // nearest: -1 outside
  float lowWeight[kChunk], highWeight[kChunk];
};

LUNET_STEP void place(float first, float step, int x, int length, Places& to) {
  const float most = (float)length;
  for (int i = 0; i < kChunk; i++) {
    float wanted = first + (float)(x + i) * step;
    wanted = wanted < -1.0f ? -1.0f : wanted;
    wanted = wanted > most ? most : wanted;
    const float more = wanted + 1.0f;
    const int high = (int)more, low = high - 1;
    const float weight = more - (float)high;
    const int nearest = (int)(more + 0.5f) - 1;
    to.low[i] = low < 0 ? 0 : low >= length ? length - 1 : low;
    to.high[i] = high >= length ? length - 1 : high;
    to.lowWeight[i] = (low >= 0) & (low < length) ? 1.0f - weight : 0.0f;
    to.highWeight[i] = high < length ? weight : 0.0f;
    to.nearest[i] = nearest < length ? nearest : -1;
  }
}

LUNET_STEP void interpolate(const float* image, const int* size, const Places* at, float* to) {
  const int row = size[0], plane = size[0] * size[1];
  for (int i = 0; i < kChunk; i++) {
    const int xl = at[0].low[i], xh = at[0].high[i], yl = at[1].low[i] * row, yh = at[1].high[i] * row;
    const int zl = at[2].low[i] * plane, zh = at[2].high[i] * plane;
    const float xlw = at[0].lowWeight[i], xhw = at[0].highWeight[i];
    const float a = image[zl + yl + xl] * xlw + image[zl + yl + xh] * xhw;
    const float b = image[zl + yh + xl] * xlw + image[zl + yh + xh] * xhw;
    const float c = image[zh + yl + xl] * xlw + image[zh + yl + xh] * xhw;
    const float d = image[zh + yh + xl] * xlw + image[zh + yh + xh] * xhw;
    const float near = a * at[1].lowWeight[i] + b * at[1].highWeight[i];
    const float far = c * at[1].lowWeight[i] + d * at[1].highWeight[i];
    to[i] = near * at[2].lowWeight[i] + far * at[2].highWeight[i];
  }
}

inline void transform(const Geometry& g, const float* image, const uint8_t* label, float* out, uint8_t* outLabel) {
  const size_t count = (size_t)g.patch[0] * g.patch[1] * g.patch[2];
  const size_t size = (size_t)g.size[0] * g.size[1] * g.size[2];
  const int row = g.size[0], plane = g.size[0] * g.size[1];
  double centre[3];
  for (int axis = 0; axis < 3; axis++) centre[axis] = (g.patch[axis] - 1) / 2.0;
  size_t at = 0;
  for (int z = 0; z < g.patch[2]; z++)
    for (int y = 0; y < g.patch[1]; y++, at += g.patch[0]) {
      float first[3];
      for (int axis = 0; axis < 3; axis++) {
        const double* m = g.matrix + 3 * axis;
        const double turned = m[1] * (y - centre[1]) + m[2] * (z - centre[2]) - m[0] * centre[0];
        first[axis] = (float)(turned + centre[axis] - g.start[axis]);
      }
      for (int x = 0; x < g.patch[0]; x += kChunk) {
        const int n = g.patch[0] - x < kChunk ? g.patch[0] - x : kChunk;
        Places places[3];
        for (int axis = 0; axis < 3; axis++)
          place(first[axis], (float)g.matrix[3 * axis], x, g.size[axis], places[axis]);
        for (int channel = 0; channel < g.channels; channel++) {
          float values[kChunk];
          interpolate(image + channel * size, g.size, places, values);
          __builtin_memcpy(out + channel * count + at + x, values, n * sizeof(float));
        }
        int source[kChunk];
        for (int i = 0; i < kChunk; i++) {
          const int outside = places[0].nearest[i] | places[1].nearest[i] | places[2].nearest[i];
          source[i] =
              outside < 0 ? -1 : places[2].nearest[i] * plane + places[1].nearest[i] * row + places[0].nearest[i];
        }
        for (int i = 0; i < n; i++) outLabel[at + x + i] = source[i] < 0 ? 0 : label[source[i]];
      }
    }
}

inline void blur_row(int count, const float* const* at, int radius, const float* weights, float* __restrict to) {
  for (int i = 0; i < count; i++) to[i] = weights[0] * at[0][i];
  for (int d = 1; d <= radius; d++) {
    const float weight = weights[d];
    const float *before = at[-d], *after = at[d];
    for (int i = 0; i < count; i++) to[i] += weight * (before[i] + after[i]);
  }
}

inline void scale(size_t count, float* voxels, float scale, float shift) {
  for (size_t i = 0; i < count; i++) voxels[i] = voxels[i] * scale + shift;
}

inline void statistics(size_t count, const float* voxels, Statistics& result) {
  constexpr int Lanes = 16;
  double sums[Lanes] = {}, squares[Lanes] = {};
  float least[Lanes], most[Lanes];
  for (int k = 0; k < Lanes; k++) least[k] = most[k] = voxels[0];
  size_t i = 0;
  for (; i + Lanes <= count; i += Lanes)
    for (int k = 0; k < Lanes; k++) {
      const float value = voxels[i + k];
      sums[k] += value;
      squares[k] += (double)value * value;
      least[k] = value < least[k] ? value : least[k];
      most[k] = value > most[k] ? value : most[k];
    }
  for (int k = 0; i < count; i++, k++) {
    const float value = voxels[i];
    sums[k] += value;
    squares[k] += (double)value * value;
    least[k] = value < least[k] ? value : least[k];
    most[k] = value > most[k] ? value : most[k];
  }
  double sum = sums[0], square = squares[0];
  result.min = least[0];
  result.max = most[0];
  for (int k = 1; k < Lanes; k++) {
    sum += sums[k];
    square += squares[k];
    result.min = least[k] < result.min ? least[k] : result.min;
    result.max = most[k] > result.max ? most[k] : result.max;
  }
  result.mean = sum / (double)count;
  const double variance = square / (double)count - result.mean * result.mean;
  result.deviation = __builtin_sqrt(variance > 0 ? variance : 0);
}

inline void stretch(size_t count, float* voxels, float middle, float factor, float min, float max) {
  for (size_t i = 0; i < count; i++) {
    float value = (voxels[i] - middle) * factor + middle;
    value = value < min ? min : value;
    voxels[i] = value > max ? max : value;
  }
}

inline void power(size_t count, float* voxels, float origin, float scale, float exponent, bool inverted) {
  const int32_t sign = inverted ? (int32_t)0x80000000u : 0;
  for (size_t i = 0; i < count; i++) {
    const float share = (voxels[i] - origin) * scale;
    const float raised = exponential(exponent * logarithm(share));
    voxels[i] = floatOf(bitsOf(share > 0 ? raised : 0.0f) ^ sign);
  }
}

inline void mix(int count, const float* a, const float* b, float weight, float* __restrict to) {
  const float rest = 1.0f - weight;
  for (int i = 0; i < count; i++) to[i] = a[i] * rest + b[i] * weight;
}

inline void mix_within(int count, const float* row, Between between, float* __restrict to) {
  for (int i = 0; i < count; i++) {
    const float weight = between.weight[i];
    to[i] = row[between.low[i]] * (1.0f - weight) + row[between.high[i]] * weight;
  }
}

constexpr lunet::Steps steps(const char* name) {
  return {name, transform, noise, blur_row, scale, statistics, stretch, power, mix, mix_within};
}

}  // namespace
