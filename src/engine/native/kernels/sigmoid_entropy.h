// The sum of soft Dice loss and binary cross-entropy, and its gradient, over runs of voxels.
#pragma once
#include "kernels/sigmoid_dice.h"

namespace {

// log(1 + x) for 0 <= x <= 1 to about 2 units in the last place: 2 atanh(x / (2 + x)) as a power series, whose argument is
// at most 1/3.
LUNET_INLINE V log_of_one_plus(V x) {
  const V w = x / (x + 2.0f), square = w * w;
  V series = splat(1.0f / 15);
  series = series * square + 1.0f / 13;
  series = series * square + 1.0f / 11;
  series = series * square + 1.0f / 9;
  series = series * square + 1.0f / 7;
  series = series * square + 1.0f / 5;
  series = series * square + 1.0f / 3;
  return 2 * w + 2 * w * square * series;
}

// With y = x outside of the target and -x inside, the cross-entropy is log(1 + exp(y)) = max(y, 0) + log(1 + exp(-|y|)),
// and the size of the error p - t is the sigmoid of y. No digits are lost where p is near 0 or 1.
inline void entropy_terms(int count, float* logit, const uint8_t* label, Region region, int ignored, double* sums) {
  V both = zero(), predicted = zero(), target = zero(), off = zero(), on = zero(), errors = zero(), entropy = zero(),
    counted = zero();
  const M none = (M)zero() + ignored;
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const M labels = load_labels(label + i, n);
    const V seen = select((labels >= 0) & (labels != none), splat(1.0f), zero());
    const V t = target_of(label + i, region, n), sign = splat(1.0f) - 2 * t;
    const V y = sign * load_lanes(logit + i, n);
    const V z = exponential(vmin(y, -y)), r = splat(1.0f) / (z + 1.0f);
    const V size = select(y > zero(), r, z * r) * seen;
    const V slope = size - size * size, error = sign * size;
    both += t * (splat(1.0f) - size) * seen;
    predicted += (t + error) * seen;
    target += t * seen;
    off += slope * (splat(1.0f) - t);
    on -= slope * t;
    errors += error;
    entropy += (vmax(y, zero()) + log_of_one_plus(z)) * seen;
    counted += seen;
    store_lanes(logit + i, error, n);
  });
  const V all[] = {both, predicted, target, off, on, errors, entropy, counted};
  for (int i = 0; i < 8; i++) sums[i] += sum_lanes(all[i]);
}

// The slope of the sigmoid from the error e = p - t, with the sign of e: e (1 - |e|).
LUNET_INLINE V slope_of(V error) { return error * (splat(1.0f) - vmax(error, -error)); }

inline void error_gradient(int count, const float* error, float above, float below, float entropy, bool first,
                           float* gradient) {
  const V a = splat(above), b = splat(below);
  each_lanes(count, [=](int i, int n) LUNET_INLINE_LAMBDA {
    const V e = load_lanes(error + i, n), g = slope_of(e) * select(e > zero(), a, b) + e * entropy;
    store_lanes(gradient + i, first ? g : g + load_lanes(gradient + i, n), n);
  });
}

inline void error_sums(int count, const float* error, const float* x, double* sums) {
  V above = zero(), below = zero(), errors = zero();
  each_lanes(count, [&](int i, int n) LUNET_INLINE_LAMBDA {
    const V e = load_lanes(error + i, n), in = load_lanes(x + i, n), slope = slope_of(e);
    above += vmax(slope, zero()) * in;
    below += vmin(slope, zero()) * in;
    errors += e * in;
  });
  sums[0] += sum_lanes(above);
  sums[1] += sum_lanes(below);
  sums[2] += sum_lanes(errors);
}

}  // namespace
