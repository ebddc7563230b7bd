// Tests every form of a convolution and of its weight gradient (see convolution.h and weight_gradient.h), and convolutions
// composed with an up-convolution (see up/composition.h), against plain loops in double precision, on odd sizes and widths.
// Prints the largest error of each form, relative to the root mean square of the results, and exits with 1 if an error is
// too large for rounding. An argument names the only instruction set to test; without it, all of this machine are tested.
// convolutions.test.ts runs this program as compiled for use, scripts/sanitize.js runs it under the sanitizers.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/instruction_sets.h"
#include "network/slab_packing.h"
#include "network/up/composition.h"
#include "network/weight_gradient.h"

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

// The largest error of `count` results, relative to their root mean square.
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

// A volume (N, C, D, H, W) with zeros outside.
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
    // NaN shows whether memory is read that was never written.
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

// Compares composed weights, applied by the kernels to a coarse volume, with the two layers one after the other. Also
// checks their gradients: composed weights are linear in the weights of each layer, so g . composed(a, b) equals
// a . gradient of a.
bool checkComposed(const Kernels& k, Size size, int coarse, int between) {
  const Composition composition{coarse + 1, between, 1};
  const int inputs = composition.inputs;
  const std::vector<float> convolution = noise((size_t)between * 27);
  std::vector<float> up = noise((size_t)between * 8 * inputs);
  for (int i = 0; i < 8 * between; i++) up[i * inputs + coarse] = up[i / 8 * 8 * inputs + coarse];  // biases
  std::vector<float> composed(composition.composedFloats());
  composition.compose(0, up.data(), convolution.data(), composed.data());

  Volume x(1, inputs, size.halved());
  std::fill(x.values.end() - x.size.voxels(), x.values.end(), 1.0f);
  const Up layer{};
  const Slabs fine = cut(size, 1, false, 1, 0, 0);
  const Corners corners(layer, fine);
  const Slabs& s = corners.coarse;
  const Rows rows{size.h, size.w, fine.row};
  Error forward, phasesBack;
  std::vector<float> packed((size_t)s.channel * inputs), phases(corners.phasesFloats()), back(4 * s.plane);
  std::vector<float> weights(4 * 8 * inputs);
  for (int slab = 0; slab < s.count; slab++) {
    // NaN shows whether memory is read that was never written.
    std::fill(packed.begin(), packed.end(), NAN);
    pack(k, s, slab, -1, s.planesIn(slab) + 1, x, false, packed.data());
    for (int z = fine.firstPlane(slab); z < fine.firstPlane(slab) + fine.planesIn(slab); z++) {
      for (int c = 0; c < inputs; c++)
        for (int tap = 0; tap < 8; tap++)
          for (int phase = 0; phase < 4; phase++)
            weights[(c * 8 + tap) * 4 + phase] = composed[((z % 2 * 4 + phase) * 8 + tap) * inputs + c];
      const int at = (z + 1) / 2 - s.firstPlane(slab);
      const std::vector<float> before = noise(fine.plane);
      std::vector<float> plane = before;
      // Pieces that start at even and at odd rows.
      for (int y = 0, some; y < size.h; y += some) {
        some = std::min({size.h - y, rowsAtOnce(fine), 1 + (y + z) % 5});
        const int first = (y + 1) / 2, count = (y + some) / 2 + 1 - first;
        std::fill(phases.begin(), phases.end(), NAN);
        k.correlate(4, packed.data() + s.origin + at * s.plane + first * s.row, s.channel, inputs, corners.taps.at, 8,
                    weights.data(), false, phases.data(), corners.stride, count * (int)s.row);
        k.add_phases({some, size.w, fine.row}, plane.data() + y * fine.row, y, phases.data(), corners.stride, s.row);
      }
      for (int y = 0; y < size.h; y++)
        for (int x0 = 0; x0 < size.w; x0++) {
          double expected = before[y * fine.row + x0];
          for (int u = 0; u < between; u++)
            for (int t = 0; t < 27; t++) {
              const int v[3] = {z + t / 9 - 1, y + t / 3 % 3 - 1, x0 + t % 3 - 1};
              if (v[0] < 0 || v[1] < 0 || v[2] < 0 || v[0] >= size.d || v[1] >= size.h || v[2] >= size.w) continue;
              const int position = v[0] % 2 * 4 + v[1] % 2 * 2 + v[2] % 2;
              for (int c = 0; c < inputs; c++)
                expected += (double)convolution[u * 27 + t] * up[(8 * u + position) * inputs + c] *
                            x.at(0, c, v[0] / 2, v[1] / 2, v[2] / 2);
            }
          forward.add(plane[y * fine.row + x0], expected);
        }
      std::fill(back.begin(), back.end(), NAN);
      k.split_phases(rows, plane.data(), back.data(), s.plane, s.row);
      for (int phase = 0; phase < 4; phase++)
        for (int i = 0; i <= size.h / 2; i++)
          for (int j = 0; j <= size.w / 2; j++) {
            const int y = 2 * i - phase / 2, x0 = 2 * j - phase % 2;
            const bool inside = y >= 0 && y < size.h && x0 >= 0 && x0 < size.w;
            phasesBack.add(back[phase * s.plane + i * s.row + j], inside ? plane[y * fine.row + x0] : 0);
          }
    }
  }

  const std::vector<float> g = noise(composed.size());
  std::vector<float> convolutionGradient((size_t)between * 27);
  composition.convolutionGradient(0, g.data(), up.data(), convolutionGradient.data());
  double expected = 0, scale = 0, byConvolution = 0, byUp = 0;
  for (size_t i = 0; i < g.size(); i++) {
    expected += (double)g[i] * composed[i];
    scale += std::fabs((double)g[i] * composed[i]);
  }
  for (size_t i = 0; i < convolution.size(); i++) byConvolution += (double)convolution[i] * convolutionGradient[i];
  std::vector<double> upGradient((size_t)8 * inputs);
  for (int u = 0; u < between; u++) {
    composition.upGradient(u, g.data(), convolution.data(), upGradient.data());
    for (int i = 0; i < 8 * inputs; i++) byUp += up[8 * u * inputs + i] * upGradient[i];
  }
  const double gradients = std::max(std::fabs(byConvolution - expected), std::fabs(byUp - expected)) / scale;
  std::printf("composed %2d -> %2d -> 1 on %d x %d x %d: output %.1e, weight gradients %.1e\n", coarse, between, size.d,
              size.h, size.w, forward.share(), gradients);
  return forward.count == size.voxels() && forward.share() <= kAllowed && phasesBack.largest == 0 &&
         gradients <= kAllowed;
}

}  // namespace

int main(int count, char** words) {
  bool passed = true;
  for (const Kernels* k : instructionSets()) {
    if (count > 1 && std::strcmp(words[1], k->name) != 0) continue;
    std::printf("%s\n", k->name);
    // Whole cases; several cases per slab; rows shorter than a vector; several windows per slab; slabs of other depths.
    const struct {
      Size size;
      int batch;
    } volumes[] = {{{7, 9, 19}, 1}, {{2, 3, 4}, 11}, {{4, 5, 3}, 2}, {{9, 33, 65}, 1}};
    for (const auto& volume : volumes)
      for (int inputs : {1, 3, 4, 24})
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
