// The 1x1x1 head, sigmoid, soft Dice loss and its gradient, over runs of voxels; and the sums for Dice. The kernels of
// Dice with cross-entropy are in sigmoid_entropy.h.
#pragma once
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace {

using lunet::Region;

inline void head_logits(int count, int channels, const float* const* activation, const float* scale, const float* shift,
                        const float* weight, float bias, float* logits) {
  for (int i = 0; i < count; i += L) {
    const int n = count - i < L ? count - i : L;
    V sum = splat(bias);
    for (int c = 0; c < channels; c++) sum += (load_lanes(activation[c] + i, n) * scale[c] + shift[c]) * weight[c];
    store_lanes(logits + i, sum, n);
  }
}

// exp(x) to about 2 units in the last place: 2^k times a polynomial of degree 6 over +-ln(2)/2 (Cephes expf).
LUNET_INLINE V exponential(V x) {
  x = vmin(vmax(x, splat(-87.0f)), splat(88.0f));
  const V magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest integer
  const V rounded = x * 1.44269504088896341f + magic;
  const V k = rounded - magic;
  const V r = x - k * 0.693359375f - k * -2.12194440e-4f;
  V p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const M bits = (((M)rounded - (M)magic) + 127) << 23;
  return p * (V)bits;
}

inline void sigmoid(int count, float* values) {
  each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    store_lanes(values + i, splat(1.0f) / (exponential(-load_lanes(values + i, n)) + 1.0f), n);
  });
}

// The labels of n voxels, -1 in the lanes after the last.
LUNET_INLINE M load_labels(const uint8_t* label, int n) {
#if LUNET_LANES == 16
  if (n == L) return (M)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)label));
#elif LUNET_LANES == 8
  if (n == L) return (M)_mm256_cvtepu8_epi32(_mm_loadu_si64(label));
#endif
  int32_t labels[L];
  for (int i = 0; i < L; i++) labels[i] = i < n ? label[i] : -1;
  M lanes;
  __builtin_memcpy(&lanes, labels, sizeof lanes);
  return lanes;
}

// 1 for voxels whose label is in the region, else 0; 0 in the lanes after the last of n voxels.
LUNET_INLINE V target_of(const uint8_t* label, Region region, int n) {
  const M labels = load_labels(label, n);
  M inside = {};
  for (int i = 0; i < region.count; i++) inside |= labels == region.labels[i];
  return select(inside, splat(1.0f), zero());
}

inline void dice_terms(int count, float* probability, const uint8_t* label, Region region, double* sums) {
  V both = zero(), predicted = zero(), target = zero(), off = zero(), on = zero();
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V p = load_lanes(probability + i, n), t = target_of(label + i, region, n);
    const V q = p * (splat(1.0f) - p), onTarget = q * t;
    both += p * t;
    predicted += p;
    target += t;
    off += q - onTarget;
    on -= onTarget;
    store_lanes(probability + i, q - 2 * onTarget, n);
  });
  sums[0] += sum_lanes(both);
  sums[1] += sum_lanes(predicted);
  sums[2] += sum_lanes(target);
  sums[3] += sum_lanes(off);
  sums[4] += sum_lanes(on);
}

inline void clear_ignored(int count, const uint8_t* label, int ignored, float* values) {
  const M none = (M)zero() + ignored;
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    store_lanes(values + i, select(load_labels(label + i, n) == none, zero(), load_lanes(values + i, n)), n);
  });
}

inline void overlap(int count, const float* probability, const uint8_t* label, Region region, double* sums) {
  V both = zero(), predicted = zero(), target = zero();
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V p = select(load_lanes(probability + i, n) > splat(0.5f), splat(1.0f), zero());
    const V t = target_of(label + i, region, n);
    both += p * t;
    predicted += p;
    target += t;
  });
  sums[0] += sum_lanes(both);
  sums[1] += sum_lanes(predicted);
  sums[2] += sum_lanes(target);
}

inline void head_gradient(int count, const float* slope, float above, float below, bool first, float* gradient) {
  const V a = splat(above), b = splat(below);
  each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    const V s = load_lanes(slope + i, n), g = s * select(s > zero(), a, b);
    store_lanes(gradient + i, first ? g : g + load_lanes(gradient + i, n), n);
  });
}

inline void signed_sums(int count, const float* slope, const float* x, double* sums) {
  V above = zero(), below = zero();
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V s = load_lanes(slope + i, n), in = load_lanes(x + i, n);
    above += vmax(s, zero()) * in;
    below += vmin(s, zero()) * in;
  });
  sums[0] += sum_lanes(above);
  sums[1] += sum_lanes(below);
}

}  // namespace
