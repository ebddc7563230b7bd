// Adam: updates all parameters in one pass.
#pragma once
#include "kernels/simd.h"

namespace {

LUNET_INLINE V square_root(V v) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_sqrt_ps(0xffff, (__m512)v);
#elif defined(__AVX2__)
  return (V)_mm256_sqrt_ps((__m256)v);
#else
  V out;
  for (int i = 0; i < L; i++) out[i] = __builtin_sqrtf(v[i]);
  return out;
#endif
}

inline void adam(size_t count, float* weight, const float* gradient, float* m, float* v, float rate, float beta1,
                 float beta2, float correction, float epsilon) {
  for (size_t i = 0; i < count; i += L) {
    const int n = count - i < (size_t)L ? (int)(count - i) : L;
    const V g = load_lanes(gradient + i, n);
    const V first = load_lanes(m + i, n) * beta1 + g * (1 - beta1);
    const V second = load_lanes(v + i, n) * beta2 + g * g * (1 - beta2);
    store_lanes(m + i, first, n);
    store_lanes(v + i, second, n);
    store_lanes(weight + i, load_lanes(weight + i, n) - first * rate / (square_root(second) * correction + epsilon), n);
  }
}

}  // namespace
