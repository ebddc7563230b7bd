// Run by scripts/sanitize.js: every form of a convolution and of its weight gradient (see convolution.h and
// weight_gradient.h), and convolutions composed with an up-convolution (see corners.h), against plain loops in double
// precision, on odd sizes and widths. Prints each form's largest error, as a share of the results' root mean square,
// and exits with 1 if one is larger than rounding explains.
#include <cmath>
#include <cstdio>
#include <vector>

#include "../../src/engine/native/corners.h"
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
    const double difference = std::fabs(found - expected);
    if (!(difference <= largest)) largest = std::isnan(difference) ? HUGE_VAL : difference;
    squares += expected * expected;
    count++;
  }
  double share() const { return largest / std::sqrt(squares / count); }
};

// (N, C, D, H, W); 0 outside.
struct Volume {
  int channels;
  Size size;
  std::vector<float> values;
  Volume(int batch, int channels, Size size)
      : channels(channels), size(size), values(noise(batch * channels * size.voxels())) {}
  const float* plane(int n, int c, int z) const {
    return values.data() + (((size_t)n * channels + c) * size.d + z) * size.h * size.w;
  }
  double at(int n, int c, int z, int y, int x) const {
    if (z < 0 || y < 0 || x < 0 || z >= size.d || y >= size.h || x >= size.w) return 0;
    return plane(n, c, z)[y * size.w + x];
  }
};

void pack(const Kernels& k, const Slabs& s, int slab, int from, int to, const Volume& volume, bool gradient,
          float* packed) {
  std::vector<float> raw(5 * s.plane);
  for (int c = 0; c < volume.channels; c++)
    packChannel(k, s, slab, gradient, from, to, raw.data(), packed + c * (gradient ? s.gradientChannel : s.channel),
                [&](int n, int z, float* to) {
                  k.pack_affine({s.size.h, s.size.w, s.row}, to, volume.plane(n, c, z), 1, 0);
                });
}

bool check(const Kernels& k, Size size, int batch, int inputs, int outputs, bool winograd) {
  const Volume x(batch, inputs, size), dy(batch, outputs, size);
  const std::vector<float> weights = noise((size_t)outputs * inputs * 27);
  const Convolution convolution(k, size, winograd, inputs, outputs);
  const WeightGradient products(inputs, outputs, winograd);
  const Slabs s = cut(size, batch, winograd, inputs, outputs, 0);
  const Taps taps(s, !winograd, true);
  std::vector<float> packedWeights((size_t)outputs * inputs * 36), results(resultFloats(s), NAN);
  std::vector<float> packed((size_t)s.channel * inputs), gradient((size_t)s.gradientChannel * outputs);
  std::vector<float> sums(products.floats()), total(products.floats()), found((size_t)outputs * inputs * 27);
  std::vector<const float*> pointers(products.pointers());
  convolution.packWeights(packedWeights.data(),
                          [&](int o, int c, int t) { return weights[((size_t)o * inputs + c) * 27 + t]; });
  Error forward, backward;
  for (int slab = 0; slab < s.count; slab++) {
    // What nothing has been written to spoils the results if it is read.
    std::fill(packed.begin(), packed.end(), NAN);
    std::fill(gradient.begin(), gradient.end(), NAN);
    products.clear(0, products.blocks.count, sums.data());
    eachWindow(s, slab, [&](int first, int end, int firstRow, int endRow) {
      pack(k, s, slab, first, end, x, false, packed.data());
      pack(k, s, slab, first, end, dy, true, gradient.data());
      for (int from = firstRow; from < endRow; from += rowsAtOnce(s)) {
        const int to = std::min(endRow, from + rowsAtOnce(s));
        for (int b = 0; b < convolution.blocks.count; b++) {
          convolve(k, convolution, s, taps, b, packed.data(), s.channel, packedWeights.data(), from, to,
                   results.data());
          eachPiece(s, slab, from, to, [&](const Piece& piece, ptrdiff_t at) {
            for (int o = 0; o < convolution.blocks.width(b); o++)
              for (int y = piece.y; y < piece.y + piece.rows; y++)
                for (int x0 = 0; x0 < size.w; x0++) {
                  double expected = 0;
                  for (int c = 0; c < inputs; c++)
                    for (int t = 0; t < 27; t++)
                      expected += (double)weights[((size_t)(convolution.blocks.first(b) + o) * inputs + c) * 27 + t] *
                                  x.at(piece.n, c, piece.z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1);
                  forward.add(results[o * resultStride(s) + at + (y - piece.y) * s.row + x0], expected);
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
  for (int b = 0; b < products.blocks.count; b++) products.finish(b, total.data(), found.data(), (size_t)inputs * 27);
  for (int o = 0; o < outputs; o++)
    for (int c = 0; c < inputs; c++)
      for (int t = 0; t < 27; t++) {
        double expected = 0;
        for (int n = 0; n < batch; n++)
          for (int z = 0; z < size.d; z++)
            for (int y = 0; y < size.h; y++)
              for (int x0 = 0; x0 < size.w; x0++)
                expected += dy.at(n, o, z, y, x0) * x.at(n, c, z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1);
        backward.add(found[((size_t)o * inputs + c) * 27 + t], expected);
      }
  const char* form = winograd ? "winograd" : convolution.form == Form::narrow ? "narrow" : "direct";
  std::printf("%-8s %2d -> %2d on %d x %d x %d x %d: output %.1e, weight gradient %.1e\n", form, inputs, outputs, batch,
              size.d, size.h, size.w, forward.share(), backward.share());
  return forward.count == batch * outputs * size.voxels() && forward.share() <= kAllowed &&
         backward.share() <= kAllowed;
}

// Composed weights, applied by the kernels to a coarse volume, against the two layers one after the other; and as they
// depend on each layer's weights linearly, their gradients against differences.
bool checkComposed(const Kernels& k, Size size, int coarse, int between) {
  const Composition composition{coarse + 1, between, 1};
  const std::vector<float> convolution = noise((size_t)between * 27);
  std::vector<float> up = noise((size_t)coarse * between * 8);
  for (const float bias : noise(between)) up.insert(up.end(), 8, bias);
  std::vector<float> composed(composition.composedInOutput());
  composition.compose(0, up.data(), convolution.data(), composed.data());

  Volume x(1, coarse + 1, size.halved());
  std::fill(x.values.end() - x.size.voxels(), x.values.end(), 1.0f);
  const Slabs fine = cut(size, 1, false, 1, 0, 0);
  const Corners corners(Up{}, fine);
  const Slabs& s = corners.coarse;
  const ptrdiff_t stride = s.plane + 16;  // the kernels write whole vectors
  Error forward;
  std::vector<float> packed((size_t)s.channel * x.channels), parts(4 * stride), plane(fine.plane);
  std::vector<float> back(4 * s.plane), weights(4 * 8 * x.channels);
  bool splitBack = true;
  for (int slab = 0; slab < s.count; slab++) {
    std::fill(packed.begin(), packed.end(), NAN);
    pack(k, s, slab, -1, s.planesIn(slab) + 1, x, false, packed.data());
    for (int z = fine.firstPlane(slab); z < fine.firstPlane(slab) + fine.planesIn(slab); z++) {
      for (int c = 0; c < x.channels; c++)
        for (int tap = 0; tap < 8; tap++)
          for (int part = 0; part < 4; part++)
            weights[(c * 8 + tap) * 4 + part] = composed[((z % 2 * 4 + part) * x.channels + c) * 8 + tap];
      const int at = (z + 1) / 2 - s.firstPlane(slab);
      k.correlate(4, packed.data() + s.origin + at * s.plane, s.channel, x.channels, corners.taps.at, 8, weights.data(),
                  false, parts.data(), stride, (int)s.plane);
      std::fill(plane.begin(), plane.end(), 0.0f);
      const Rows rows{size.h, size.w, fine.row};
      k.add_parts(rows, plane.data(), 0, parts.data(), stride, s.row);
      k.split_parts(rows, plane.data(), back.data(), s.plane, s.row);
      for (int y = 0; y < size.h; y++)
        for (int x0 = 0; x0 < size.w; x0++) {
          double expected = 0;
          for (int u = 0; u < between; u++)
            for (int t = 0; t < 27; t++) {
              const int at[3] = {z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1};
              if (at[0] < 0 || at[1] < 0 || at[2] < 0 || at[0] >= size.d || at[1] >= size.h || at[2] >= size.w)
                continue;
              const int position = at[0] % 2 * 4 + at[1] % 2 * 2 + at[2] % 2;
              for (int c = 0; c < x.channels; c++)
                expected += (double)convolution[u * 27 + t] * up[(c * between + u) * 8 + position] *
                            x.at(0, c, at[0] / 2, at[1] / 2, at[2] / 2);
            }
          const float found = plane[y * fine.row + x0];
          forward.add(found, expected);
          const int part = y % 2 * 2 + x0 % 2;
          splitBack &= found == back[part * s.plane + (y + 1) / 2 * s.row + (x0 + 1) / 2];
        }
      double inside = 0, all = 0;
      for (int y = 0; y < size.h; y++)
        for (int x0 = 0; x0 < size.w; x0++) inside += std::fabs(plane[y * fine.row + x0]);
      for (const float value : back) all += std::fabs(value);
      splitBack &= std::fabs(all - inside) <= 1e-9 * inside;  // zeros where a part lies outside
    }
  }

  // With g as gradient of the composed weights, g . composed(a, b) is a . convolutionGradient(b) and b . upGradient(a).
  const std::vector<float> g = noise(composed.size());
  std::vector<float> convolutionGradient((size_t)between * 27);
  composition.convolutionGradient(0, g.data(), up.data(), convolutionGradient.data());
  double expected = 0, byConvolution = 0, byUp = 0;
  for (size_t i = 0; i < g.size(); i++) expected += (double)g[i] * composed[i];
  for (size_t i = 0; i < convolution.size(); i++) byConvolution += (double)convolution[i] * convolutionGradient[i];
  for (int u = 0; u < between; u++) {
    std::vector<double> gradient((size_t)8 * x.channels);
    composition.upGradient(u, g.data(), convolution.data(), gradient.data());
    for (int c = 0; c < x.channels; c++)
      for (int position = 0; position < 8; position++)
        byUp += up[(c * between + u) * 8 + position] * gradient[c * 8 + position];
  }
  Error gradients;
  gradients.add(byConvolution, expected);
  gradients.add(byUp, expected);
  std::printf("composed %2d -> %2d -> 1 on %d x %d x %d: output %.1e, weight gradients %.1e\n", coarse, between, size.d,
              size.h, size.w, forward.share(), gradients.share());
  return splitBack && forward.count == size.voxels() && forward.share() <= kAllowed && gradients.share() <= kAllowed;
}

}  // namespace

int main() {
  bool passed = true;
  for (const Kernels* k : instructionSets()) {
    std::printf("%s\n", k->name);
    // Whole cases; several cases a slab; rows shorter than a vector; several windows a slab, and slabs of other depths.
    const struct {
      Size size;
      int batch;
    } volumes[] = {{{7, 9, 19}, 1}, {{2, 3, 4}, 11}, {{4, 5, 3}, 2}, {{9, 33, 65}, 1}};
    for (const auto& volume : volumes)
      for (int inputs : {1, 3, 8, 24})
        for (int outputs : {1, 2, 3, 4, 9}) {
          passed &= check(*k, volume.size, volume.batch, inputs, outputs, false);
          passed &= check(*k, volume.size, volume.batch, inputs, outputs, true);
        }
    for (const Size size : {Size{2, 2, 2}, Size{6, 10, 38}, Size{4, 8, 16}, Size{16, 34, 66}})
      for (int coarse : {1, 3})
        for (int between : {1, 4}) passed &= checkComposed(*k, size, coarse, between);
  }
  if (!passed) std::printf("an error is larger than %.0e\n", kAllowed);
  return passed ? 0 : 1;
}
