// Adam, all parameters in one pass.
#pragma once
#include "simd.h"

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
    const V g = n == L ? load(gradient + i) : load_first(gradient + i, n);
    const V first = (n == L ? load(m + i) : load_first(m + i, n)) * beta1 + g * (1 - beta1);
    const V second = (n == L ? load(v + i) : load_first(v + i, n)) * beta2 + g * g * (1 - beta2);
    const V w = (n == L ? load(weight + i) : load_first(weight + i, n)) -
                first * rate / (square_root(second) * correction + epsilon);
    if (n == L) {
      store(m + i, first);
      store(v + i, second);
      store(weight + i, w);
    } else {
      store_first(m + i, first, n);
      store_first(v + i, second, n);
      store_first(weight + i, w, n);
    }
  }
}

}  // namespace
