// The table of kernels of one instruction set. The file of each instruction set includes this header once.
#pragma once
#include "kernels/simd.h"
// The lambdas must be inlined: a call would pass vectors through memory.
#define LUNET_INLINE_LAMBDA __attribute__((always_inline))
#include "kernels/adam.h"
#include "kernels/correlate.h"
#include "kernels/correlate_rows.h"
#include "kernels/kernels.h"
#include "kernels/pack_plane.h"
#include "kernels/products.h"
#include "kernels/sigmoid_dice.h"
#include "kernels/sigmoid_entropy.h"
#include "kernels/unpack_rows.h"
#include "kernels/unpool.h"
#include "kernels/winograd.h"

namespace {

// Uses all registers except four for independent multiply-adds: enough to hide their latency.
double peak(int repeats, float* sink) {
  constexpr int Registers = LUNET_REGISTERS - 4;
  V sum[Registers];
#pragma GCC unroll 32
  for (int i = 0; i < Registers; i++) sum[i] = splat(sink[0] + (float)i);
  const V factor = splat(sink[1]), addend = splat(sink[2]);
  for (int r = 0; r < repeats; r++)
#pragma GCC unroll 32
    for (int i = 0; i < Registers; i++) sum[i] = sum[i] * factor + addend;
  V total = zero();
#pragma GCC unroll 32
  for (int i = 0; i < Registers; i++) total += sum[i];
  sink[0] = sum_lanes(total);
  return (double)repeats * Registers * L;
}

constexpr lunet::Kernels table(const char* name) {
  return {name,
          L,
          correlate,
          correlate_rows,
          winograd_input,
          winograd_gradient,
          winograd_output,
          products,
          pack_affine,
          pack_pooled,
          pack_gradient,
          pack_up,
          split_phases,
          add_phases,
          unpack_relu,
          unpack_gradient,
          unpack_positions,
          unpool_row,
          head_logits,
          sigmoid,
          dice_terms,
          overlap,
          head_gradient,
          signed_sums,
          clear_ignored,
          entropy_terms,
          error_gradient,
          error_sums,
          adam,
          peak};
}

}  // namespace
