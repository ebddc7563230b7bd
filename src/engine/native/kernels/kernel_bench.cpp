#include "kernels/kernel_bench.h"

#include <chrono>
#include <functional>

#include "network/network.h"

namespace lunet {

namespace {

// The best time of one call, from rounds of a few milliseconds.
double best(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  work();
  double least = 1e9;
  for (int round = 0, calls = 1; round < 12; round++) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; i++) work();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (seconds < 2e-3 && round == 0) {
      calls *= 2;
      round = -1;
      continue;
    }
    if (seconds / calls < least) least = seconds / calls;
  }
  return least;
}

Floats noise(size_t count) {
  Floats values(count);
  unsigned state = 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values.data()[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
  }
  return values;
}

}  // namespace

double measurePeak(const Kernels& kernels, int count) {
  Threads threads(count);
  constexpr int kRepeats = 500000;
  double best = 0;
  for (int round = 0; round < 100; round++) {
    std::vector<double> done(count);
    const auto begin = std::chrono::steady_clock::now();
    threads.run(count, [&](int task, int) {
      float sink[16] = {1.0f, 0.999f, 0.001f};
      done[task] = kernels.peak(kRepeats, sink);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    double total = 0;
    for (double each : done) total += each;
    best = std::max(best, 2 * total / seconds * 1e-9);
  }
  return best;
}

std::vector<KernelFigure> benchKernels(const Kernels& k) {
  constexpr int kSide = 64, kRows = 64, kRun = 2048;
  const Size size{2, kRows, kSide};
  const Slabs s = cut(size, 16, false, 1, 0, 0);
  const Rows rows{kRows, kSide, s.row};
  const size_t voxels = (size_t)kRows * kSide, most = 48;
  Floats packed = noise(most * s.channel), other = noise(most * s.channel),
         out(kWidestBlock * s.channel + kReadBehind + 6 * (voxels + 16));
  Floats volume = noise(20 * voxels), gradient = noise(16 * voxels), weights = noise(8 * most * 27);
  Floats sums(8 * most * 27);
  std::vector<uint8_t> labels(16 * voxels, 1);
  const uint8_t inside[] = {1, 2};
  double total[3] = {};
  ptrdiff_t taps[27];
  for (int t = 0; t < 27; t++) taps[t] = (t / 9 - 1) * s.plane + (t / 3 % 3 - 1) * s.row + t % 3 - 1;
  std::vector<KernelFigure> figures;
  const auto add = [&](const char* kernel, const std::string& shape, double flops, double bytes,
                       const std::function<void()>& work) {
    figures.push_back({kernel, shape, flops, bytes, best(work)});
  };
  const auto widths = [](int inputs, int outputs) { return std::to_string(inputs) + " -> " + std::to_string(outputs); };

  const auto correlate = [&](int inputs, int outputs) {
    const int count = (int)(kRows / 2 * s.row);
    add("correlate", widths(inputs, outputs), 54.0 * inputs * outputs * count, 0, [&, inputs, outputs, count] {
      k.correlate(outputs, packed.data() + s.origin, s.channel, inputs, taps, 27, weights.data(), false, out.data(),
                  s.channel, count);
    });
  };
  for (int outputs = 1; outputs <= kWidestBlock; outputs++) correlate(4, outputs);
  const auto narrow = [&](int inputs, int outputs) {
    const int some = kRows / 2;
    add("correlate_rows", widths(inputs, outputs), 54.0 * inputs * outputs * some * kSide, 0,
        [&, inputs, outputs, some] {
          k.correlate_rows(outputs, packed.data() + s.origin, s.channel, inputs, s.plane, s.row, weights.data(),
                           out.data(), s.channel, some, kSide);
        });
  };
  correlate(1, 4);
  const int block = outputBlocks(k, 24).width(0);
  correlate(24, block);
  correlate(48, block);
  for (int outputs = 1; outputs <= 2; outputs++)
    for (int inputs = 1; inputs <= 4; inputs *= 2) narrow(inputs, outputs);

  const auto products = [&](int inputs, int outputs) {
    std::vector<const float*> at;
    for (int c = 0; c < inputs; c++)
      for (int t = 0; t < 27; t++) at.push_back(packed.data() + c * s.channel + s.origin + taps[t]);
    add("products", widths(inputs, outputs), 54.0 * inputs * outputs * kRun, 0, [&, at, inputs, outputs] {
      k.products(outputs, other.data() + s.origin, s.channel, at.data(), inputs * 27, kRun, sums.data(), inputs * 27);
    });
  };
  for (int outputs = 1; outputs <= kProductsBlock; outputs++) products(4, outputs);
  products(1, 4);
  products(24, 4);
  products(48, 4);

  const double plane = 4.0 * voxels;
  add("pack_affine", "64 x 64", 0, 2 * plane, [&] { k.pack_affine(rows, out.data(), volume.data(), 1.1f, 0.1f); });
  add("pack_pooled", "64 x 64 out of 128 x 128 x 2", 0, 9 * plane,
      [&] { k.pack_pooled(rows, out.data(), volume.data(), 4 * voxels, 1.1f, 0.1f); });
  add("pack_up", "64 x 64 from 4 channels of 32 x 32", 0, 2 * plane,
      [&] { k.pack_up(rows, out.data(), 4, volume.data(), voxels / 4, weights.data()); });
  add("split_phases", "64 x 64", 0, 2 * plane,
      [&] { k.split_phases(rows, packed.data(), out.data(), s.channel / 4, kSide / 2 + 1); });
  add("add_phases", "64 x 64", 0, 3 * plane,
      [&] { k.add_phases(rows, out.data(), 0, packed.data(), s.channel / 4, kSide / 2 + 1); });
  const float* const planes[4] = {packed.data(), packed.data() + s.channel, other.data(), other.data() + s.channel};
  add("winograd_input", "4 planes of 64 x 64", 0, 8 * plane,
      [&] { k.winograd_input((int)voxels, planes, out.data(), voxels + 16); });
  add("winograd_gradient", "4 planes of 64 x 64", 0, 10 * plane,
      [&] { k.winograd_gradient((int)voxels, planes, out.data(), voxels + 16); });
  constexpr int kCount = kFloatsAtOnce;
  add("winograd_output", "4 x " + std::to_string(kCount), 0, 4 * 6 * 4.0 * kCount,
      [&] { k.winograd_output(4, kCount, out.data(), kCount + kMostLanes); });
  add("pack_gradient", "64 x 64", 0, 3 * plane,
      [&] { k.pack_gradient(rows, out.data(), gradient.data(), volume.data(), 1.1f, 0.1f, 0.2f, 0.0f); });
  add("unpack_relu", "64 x 64", 0, 2 * plane,
      [&] { k.unpack_relu(rows, packed.data(), 0.1f, volume.data(), false, total); });
  add("unpack_gradient", "64 x 64", 0, 3 * plane,
      [&] { k.unpack_gradient(rows, packed.data(), gradient.data(), volume.data(), false, total); });
  add("unpack_positions", "64 x 64", 0, 2 * plane,
      [&] { k.unpack_positions(rows, packed.data(), 0, volume.data(), voxels / 4 + 16, false); });
  const ptrdiff_t fine[4] = {0, kSide, 2 * kSide, 3 * kSide};
  add("unpool_row", "32 out of 64 x 2 x 2", 0, 4.0 * (32 + 3 * 4 * kSide),
      [&] { k.unpool_row(kSide / 2, packed.data(), volume.data(), gradient.data(), fine, true, false, total); });
  add("head_logits", "4 channels", 0, 5 * plane, [&] {
    const float* channels[4] = {volume.data(), volume.data() + voxels, gradient.data(), gradient.data() + voxels};
    const float ones[4] = {1, 1, 1, 1};
    k.head_logits((int)voxels, 4, channels, ones, ones, ones, 0, out.data());
  });
  add("sigmoid", "4096", 0, 2 * plane, [&] { k.sigmoid((int)voxels, out.data()); });
  double terms[5] = {};
  add("dice_terms", "4096", 0, 2.25 * plane, [&] {
    k.dice_terms((int)voxels, out.data(), labels.data(), {inside, 2}, terms);
  });
  add("overlap", "4096", 0, 1.25 * plane, [&] {
    k.overlap((int)voxels, out.data(), labels.data(), {inside, 2}, total);
  });
  add("signed_sums", "4096", 0, 2 * plane, [&] { k.signed_sums((int)voxels, out.data(), volume.data(), total); });
  add("head_gradient", "4096", 0, 2 * plane,
      [&] { k.head_gradient((int)voxels, out.data(), 0.1f, 0.2f, true, gradient.data()); });
  double errors[8] = {};
  add("clear_ignored", "4096", 0, 1.25 * plane, [&] { k.clear_ignored((int)voxels, labels.data(), 2, gradient.data()); });
  add("entropy_terms", "4096", 0, 2.25 * plane,
      [&] { k.entropy_terms((int)voxels, out.data(), labels.data(), {inside, 2}, -1, errors); });
  add("error_gradient", "4096", 0, 2 * plane,
      [&] { k.error_gradient((int)voxels, out.data(), 0.1f, 0.2f, 0.3f, true, gradient.data()); });
  add("error_sums", "4096", 0, 2 * plane, [&] { k.error_sums((int)voxels, out.data(), volume.data(), errors); });
  add("adam", "4096 parameters", 0, 7 * plane, [&] {
    k.adam(voxels, volume.data(), gradient.data(), volume.data() + voxels, sums.data(), 1e-6f, 0.9f, 0.999f, 1, 1e-8f);
  });
  return figures;
}

}  // namespace lunet
