// Run by scripts/sanitize.js: every form of a convolution and of its weight gradient (see convolution.h and
// weight_gradient.h) against plain loops in double precision, on odd sizes and widths. Prints each form's largest
// error, as a share of the results' root mean square, and exits with 1 if one is larger than rounding explains.
#include <cmath>
#include <cstdio>
#include <vector>

#include "../../src/engine/native/instruction_sets.h"
#include "../../src/engine/native/packing.h"
#include "../../src/engine/native/weight_gradient.h"

using namespace lunet;

namespace {

constexpr double kAllowed = 1e-5;
unsigned state = 1;

std::vector<float> noise(size_t count) {
  std::vector<float> values(count);
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = (float)(state >> 8) / (1 << 24) - 0.5f;
  }
  return values;
}

// The largest error among `count` results, as a share of their root mean square.
struct Error {
  double largest = 0, squares = 0;
  size_t count = 0;
  void add(double found, double expected) {
    largest = std::fmax(largest, std::fabs(found - expected));
    squares += expected * expected;
    count++;
  }
  double share() const { return largest / std::sqrt(squares / count); }
};

// (channels, D, H, W) of one case; 0 outside.
struct Volume {
  Size size;
  std::vector<float> values;
  Volume(int channels, Size size) : size(size), values(noise(channels * size.voxels())) {}
  const float* plane(int c, int z) const { return values.data() + ((size_t)c * size.d + z) * size.h * size.w; }
  double at(int c, int z, int y, int x) const {
    if (z < 0 || y < 0 || x < 0 || z >= size.d || y >= size.h || x >= size.w) return 0;
    return plane(c, z)[y * size.w + x];
  }
};

void pack(const Kernels& k, const Slabs& s, int slab, int from, int to, const Volume& volume, int channels,
          bool gradient, float* packed) {
  std::vector<float> raw(5 * s.plane);
  for (int c = 0; c < channels; c++)
    packChannel(k, s, slab, gradient, from, to, raw.data(), packed + c * (gradient ? s.gradientChannel : s.channel),
                [&](int, int z, float* to) {
                  k.pack_affine({s.size.h, s.size.w, s.row}, to, volume.plane(c, z), 1, 0);
                });
}

bool check(const Kernels& k, Size size, int inputs, int outputs, bool winograd) {
  const Volume x(inputs, size), dy(outputs, size);
  const std::vector<float> weights = noise((size_t)outputs * inputs * 27);
  const Convolution convolution(k, size, winograd, inputs, outputs);
  const WeightGradient products(inputs, outputs, winograd);
  const Slabs s = cut(size, 1, winograd, inputs, outputs, 0);
  const Taps taps(s, !winograd, true);
  std::vector<float> packedWeights((size_t)outputs * inputs * 36), results(resultFloats(s));
  std::vector<float> packed((size_t)s.channel * inputs), gradient((size_t)s.gradientChannel * outputs);
  std::vector<float> sums(products.floats()), total(products.floats()), found((size_t)outputs * inputs * 27);
  std::vector<const float*> pointers(products.pointers());
  convolution.packWeights(packedWeights.data(),
                          [&](int o, int c, int t) { return weights[((size_t)o * inputs + c) * 27 + t]; });
  Error forward, backward;
  for (int slab = 0; slab < s.count; slab++) {
    products.clear(0, products.blocks.count, sums.data());
    eachWindow(s, slab, [&](int first, int end, int firstRow, int endRow) {
      pack(k, s, slab, first, end, x, inputs, false, packed.data());
      pack(k, s, slab, first, end, dy, outputs, true, gradient.data());
      for (int from = firstRow; from < endRow; from += rowsAtOnce(s)) {
        const int to = std::min(endRow, from + rowsAtOnce(s));
        for (int b = 0; b < convolution.blocks.count; b++) {
          convolve(k, convolution, s, taps, b, packed.data(), s.channel, packedWeights.data(), from, to,
                   results.data());
          eachPiece(s, slab, from, to, [&](int y0, int count, int z, int, ptrdiff_t at) {
            for (int o = 0; o < convolution.blocks.width(b); o++)
              for (int y = y0; y < y0 + count; y++)
                for (int x0 = 0; x0 < size.w; x0++) {
                  double expected = 0;
                  for (int c = 0; c < inputs; c++)
                    for (int t = 0; t < 27; t++)
                      expected += (double)weights[((size_t)(convolution.blocks.first(b) + o) * inputs + c) * 27 + t] *
                                  x.at(c, z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1);
                  forward.add(results[o * resultStride(s) + at + (y - y0) * s.row + x0], expected);
                }
          });
        }
      }
      for (int b = 0; b < products.blocks.count; b++)
        products.add(k, s, b, gradient.data(), packed.data(), firstRow * s.row, (int)((endRow - firstRow) * s.row - 1),
                     pointers.data(), sums.data());
    });
    for (size_t i = 0; i < sums.size(); i++) total[i] += sums[i];
  }
  for (int b = 0; b < products.blocks.count; b++) products.finish(b, total.data(), found.data());
  for (int o = 0; o < outputs; o++)
    for (int c = 0; c < inputs; c++)
      for (int t = 0; t < 27; t++) {
        double expected = 0;
        for (int z = 0; z < size.d; z++)
          for (int y = 0; y < size.h; y++)
            for (int x0 = 0; x0 < size.w; x0++)
              expected += dy.at(o, z, y, x0) * x.at(c, z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1);
        backward.add(found[((size_t)o * inputs + c) * 27 + t], expected);
      }
  const char* form = winograd ? "winograd" : convolution.form == Form::narrow ? "narrow" : "direct";
  std::printf("%-8s %2d -> %2d on %d x %d x %d: output %.1e, weight gradient %.1e\n", form, inputs, outputs, size.d,
              size.h, size.w, forward.share(), backward.share());
  return forward.share() <= kAllowed && backward.share() <= kAllowed;
}

}  // namespace

int main() {
  bool passed = true;
  for (const Kernels* k : instructionSets()) {
    std::printf("%s\n", k->name);
    for (const Size size : {Size{7, 9, 19}, Size{2, 3, 4}, Size{12, 33, 40}})
      for (int inputs : {1, 3, 8, 24})
        for (int outputs : {1, 2, 3, 4, 9}) {
          passed &= check(*k, size, inputs, outputs, false);
          passed &= check(*k, size, inputs, outputs, true);
        }
  }
  if (!passed) std::printf("an error is larger than %.0e\n", kAllowed);
  return passed ? 0 : 1;
}
