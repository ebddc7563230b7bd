// Fills packed slabs, window by window. The caller provides the content of the planes.
#pragma once
#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "network/slabs.h"

namespace lunet {

// Calls work(from, to, first row, end row) for each window of a slab, in order: `work` must pack planes [from, to), and
// can then compute packed rows [first row, end row). Both count from the first output plane; the padding after the last
// row of a window is not computed. Windows are small, so that packed data is still in the second-level cache when it is
// used. With Winograd's algorithm a slab is one window, and `from` and `to` have no meaning.
template <typename Work>
void eachWindow(const Slabs& s, int slab, Work work) {
  constexpr ptrdiff_t kFloats = 4096;  // per channel
  const int height = s.size.h + 1, planes = s.rowsIn(slab) / height;
  const int step = s.winograd ? planes : (int)std::max<ptrdiff_t>(1, kFloats / s.plane);
  for (int first = 0; first < planes; first += step) {
    const int end = std::min(planes, first + step);
    work(first == 0 ? -1 : first + 1, end + 1, first * height, end * height - 1);
  }
}

// Planes of raw values that Winograd's algorithm transforms at a time.
constexpr int kRawPlanes = 4;

// Packs planes [from, to) of a window of a channel: fill(case, z, to) writes plane z of a case, for z inside the
// volume; the halo and the space between cases are zeros. `gradient` selects the six planes for the gradient of an
// output; `raw` is scratch memory for kRawPlanes. Both are used only with Winograd's algorithm.
template <typename Fill>
void packChannel(const Kernels& k, const Slabs& s, int slab, bool gradient, int from, int to, float* raw, float* packed,
                 Fill fill) {
  const int planes = s.planesIn(slab), z0 = s.firstPlane(slab);
  const auto write = [&](int n, int z, float* at) {
    if (z < 0 || z >= s.size.d)
      std::memset(at, 0, s.plane * sizeof(float));
    else
      fill(n, z, at);
  };
  // Zeros before the first row, as its neighbours.
  const auto lead = [&](float* at) { std::memset(at - s.row - 1, 0, (s.row + 1) * sizeof(float)); };
  float* at = packed + s.origin;
  if (!s.winograd) {
    if (from < 0) lead(at - s.plane);
    // The zero plane after a case is also the one before the next case.
    for (int p = from; p < to; p++)
      write(s.firstCase(slab) + std::max(p, 0) / (planes + 1), p < 0 ? z0 - 1 : z0 + p % (planes + 1),
            at + p * s.plane);
    return;
  }
  for (int i = 0; i < (gradient ? kWinogradGradientPlanes : kWinogradPlanes); i++) lead(at + i * s.transformed);
  for (int i = 0; i < s.casesIn(slab); i++)
    for (int z = 0; z < planes; z += 2, at += s.plane) {
      const float* four[kRawPlanes];
      for (int j = 0; j < kRawPlanes; j++) {
        float* plane = raw + (z + j) % kRawPlanes * s.plane;
        if (z == 0 || j >= 2) write(s.firstCase(slab) + i, z0 + z + j - 1, plane);
        four[j] = plane;
      }
      (gradient ? k.winograd_gradient : k.winograd_input)((int)s.plane, four, at, s.transformed);
    }
}

}  // namespace lunet
