// The 1x1x1 head, sigmoid, soft Dice loss and its gradient, over runs of voxels; and the sums that Dice is made of.
#pragma once
#include "simd.h"

namespace {

// Calls run(offset, n) for vectors of n <= L voxels.
template <typename Run>
LUNET_INLINE void each_run(int count, Run run) {
  int i = 0;
  for (; i + L <= count; i += L) run(i, L);
  if (i < count) run(i, count - i);
}

LUNET_INLINE V take(const float* p, int n) { return n == L ? load(p) : load_first(p, n); }
LUNET_INLINE void put(float* p, V v, int n) { n == L ? store(p, v) : store_first(p, v, n); }

inline void head_logits(int count, int channels, const float* const* activation, const float* scale,
                        const float* shift, const float* weight, float bias, float* logits) {
  for (int i = 0; i < count; i += L) {
    const int n = count - i < L ? count - i : L;
    V sum = splat(bias);
    for (int c = 0; c < channels; c++) sum += (take(activation[c] + i, n) * scale[c] + shift[c]) * weight[c];
    put(logits + i, sum, n);
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
  each_run(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    put(values + i, splat(1.0f) / (exponential(-take(values + i, n)) + 1.0f), n);
  });
}

// 1 where the voxel's label belongs to the output, else 0; 0 behind the last voxel.
LUNET_INLINE V target_of(const uint8_t* label, const uint32_t* targets, int bit, int n) {
  float t[L] = {};
  for (int i = 0; i < n; i++) t[i] = (float)((targets[label[i]] >> bit) & 1u);
  return load(t);
}

inline void dice_sums(int count, const float* probability, const uint8_t* label, const uint32_t* targets, int bit,
                      double* sums) {
  V both = zero(), predicted = zero(), target = zero();
  each_run(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V p = take(probability + i, n), t = target_of(label + i, targets, bit, n);
    both += p * t;
    predicted += p;
    target += t;
  });
  sums[0] += sum_lanes(both);
  sums[1] += sum_lanes(predicted);
  sums[2] += sum_lanes(target);
}

inline void overlap(int count, const float* probability, const uint8_t* label, const uint32_t* targets, int bit,
                    double* sums) {
  V both = zero(), predicted = zero(), target = zero();
  each_run(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V p = select(take(probability + i, n) > splat(0.5f), splat(1.0f), zero());
    const V t = target_of(label + i, targets, bit, n);
    both += p * t;
    predicted += p;
    target += t;
  });
  sums[0] += sum_lanes(both);
  sums[1] += sum_lanes(predicted);
  sums[2] += sum_lanes(target);
}

inline void dice_gradient(int count, float* probability, const uint8_t* label, const uint32_t* targets, int bit,
                          float onTarget, float always) {
  each_run(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    const V p = take(probability + i, n), t = target_of(label + i, targets, bit, n);
    put(probability + i, p * (splat(1.0f) - p) * (t * onTarget + always), n);
  });
}

inline void head_gradient(int count, const float* dLogit, float weight, bool first, float* gradient) {
  each_run(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    const V g = take(dLogit + i, n) * weight;
    put(gradient + i, first ? g : g + take(gradient + i, n), n);
  });
}

inline void sums_of(int count, const float* x, const float* y, double* sums) {
  V sum = zero(), products = zero();
  each_run(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V a = take(x + i, n);
    sum += a;
    products += a * take(y + i, n);
  });
  sums[0] += sum_lanes(sum);
  sums[1] += sum_lanes(products);
}

}  // namespace
