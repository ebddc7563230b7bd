// One float vector type and the few operations that the kernels need, for the instruction set that this translation
// unit is compiled for. Does not use the standard library: the linker could share a function with another unit, and the
// function could contain instructions that the machine lacks.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__)
#include <immintrin.h>
#define LUNET_LANES 16
#define LUNET_REGISTERS 32
#elif defined(__AVX2__)
#include <immintrin.h>
#define LUNET_LANES 8
#define LUNET_REGISTERS 16
#else
#define LUNET_LANES 4
#if defined(__aarch64__)
#define LUNET_REGISTERS 32
#else
#define LUNET_REGISTERS 16
#endif
#endif

namespace {

constexpr int L = LUNET_LANES;  // floats in a vector

typedef float V __attribute__((vector_size(LUNET_LANES * 4)));
typedef int32_t M __attribute__((vector_size(LUNET_LANES * 4)));  // a comparison's result: all bits or none per lane
typedef float VUnaligned __attribute__((vector_size(LUNET_LANES * 4), aligned(4), may_alias));

#define LUNET_INLINE inline __attribute__((always_inline))

LUNET_INLINE V load(const float* p) { return *reinterpret_cast<const VUnaligned*>(p); }
LUNET_INLINE void store(float* p, V v) { *reinterpret_cast<VUnaligned*>(p) = v; }
// Written so that the compiler broadcasts a float while loading it. A broadcast from a register would use the execution
// port of the multiplications.
LUNET_INLINE V splat(float x) {
#if LUNET_LANES == 16
  return (V)_mm512_set1_ps(x);
#elif LUNET_LANES == 8
  return (V)_mm256_set1_ps(x);
#else
  return V{x, x, x, x};
#endif
}
// Keeps a vector in its register: otherwise the compiler may reload it for each use, and most loads are unaligned.
LUNET_INLINE void hold(V& v) {
#if defined(__aarch64__)
  asm("" : "+w"(v));
#elif defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#else
  (void)v;
#endif
}
LUNET_INLINE V zero() { return V{}; }
LUNET_INLINE V select(M mask, V yes, V no) { return (V)(((M)yes & mask) | ((M)no & ~mask)); }
// NaN in `a` stays NaN.
LUNET_INLINE V vmax(V a, V b) {
#if LUNET_LANES == 16
  return (V)_mm512_maskz_max_ps(0xffff, (__m512)b, (__m512)a);
#elif LUNET_LANES == 8
  return (V)_mm256_max_ps((__m256)b, (__m256)a);
#else
  return select(b > a, b, a);
#endif
}
LUNET_INLINE V vmin(V a, V b) {
#if LUNET_LANES == 16
  return (V)_mm512_maskz_min_ps(0xffff, (__m512)b, (__m512)a);
#elif LUNET_LANES == 8
  return (V)_mm256_min_ps((__m256)b, (__m256)a);
#else
  return select(b < a, b, a);
#endif
}

// The first n < L floats at p, followed by zeros; does not read memory beyond them.
LUNET_INLINE V load_first(const float* p, int n) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  float lanes[L] = {};
  for (int i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
#endif
}

LUNET_INLINE void store_first(float* p, V v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (int i = 0; i < n; i++) p[i] = v[i];
#endif
}

// Writes to an aligned address, bypassing the caches. Threads::run makes the data visible to other threads.
LUNET_INLINE void stream(float* p, V v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, (__m256)v);
#else
  *reinterpret_cast<V*>(p) = v;
#endif
}
LUNET_INLINE bool is_aligned(const float* p) { return (uintptr_t)p % sizeof(V) == 0; }

// load and store for n <= L floats, and a loop that calls at(i, n) for each vector of `count` floats.
LUNET_INLINE V load_lanes(const float* p, int n) { return n == L ? load(p) : load_first(p, n); }
LUNET_INLINE void store_lanes(float* p, V v, int n) { n == L ? store(p, v) : store_first(p, v, n); }
template <typename At>
LUNET_INLINE void each_lanes(int count, At at) {
  int i = 0;
  for (; i + L <= count; i += L) at(i, L);
  if (i < count) at(i, count - i);
}

// 2n floats at p as two vectors; reads only these floats.
LUNET_INLINE void load_pairs(const float* p, int n, V& first, V& second) {
  if (n == L) {
    first = load(p);
    second = load(p + L);
  } else {
    first = load_lanes(p, 2 * n < L ? 2 * n : L);
    second = 2 * n > L ? load_first(p + L, 2 * n - L) : zero();
  }
}

// Stores the first 2n floats of two vectors to p.
LUNET_INLINE void store_pairs(float* p, int n, V first, V second) {
  store_lanes(p, first, 2 * n < L ? 2 * n : L);
  if (2 * n > L) store_lanes(p + L, second, 2 * n - L);
}

// The sum of all lanes, added in a fixed order: halves, quarters, ...
LUNET_INLINE float sum_lanes(V v) {
#if LUNET_LANES == 16
  v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
#elif LUNET_LANES == 8
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
#else
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
#endif
  return v[0] + v[1];
}

// Lanes 0, 2, 4, ... (or 1, 3, 5, ...) of the 2L floats (a, b).
#if LUNET_LANES == 16
LUNET_INLINE V even_lanes(V a, V b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
LUNET_INLINE V odd_lanes(V a, V b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
LUNET_INLINE V interleave_low(V a, V b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
LUNET_INLINE V interleave_high(V a, V b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif LUNET_LANES == 8
LUNET_INLINE V even_lanes(V a, V b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
LUNET_INLINE V odd_lanes(V a, V b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
LUNET_INLINE V interleave_low(V a, V b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
LUNET_INLINE V interleave_high(V a, V b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
LUNET_INLINE V even_lanes(V a, V b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
LUNET_INLINE V odd_lanes(V a, V b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
LUNET_INLINE V interleave_low(V a, V b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
LUNET_INLINE V interleave_high(V a, V b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

}  // namespace
