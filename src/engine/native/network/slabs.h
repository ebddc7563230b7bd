// Cuts the volumes of a batch at one level into slabs, the units of work, and defines their packed layout (see
// kernels.h). Depends only on shapes, never on the number of threads, and the sums of slabs are added in slab order. So
// results are the same for any number of threads.
#pragma once
#include <algorithm>
#include <cstddef>

#include "kernels/kernels.h"
#include "network/plan.h"

namespace lunet {

struct Slabs {
  Size size{};
  int batch = 0;
  int cases = 1;    // cases in a slab; 1 also if it contains only some planes of one case
  int planes = 1;   // output planes of each case in a slab
  int perCase = 1;  // slabs per case; 1 if cases > 1
  int count = 0;
  int groups = 1;     // tasks that share a slab: each computes a group of the result channels
  ptrdiff_t row = 0;  // stride of packed rows: W floats and one zero
  ptrdiff_t plane = 0;
  ptrdiff_t origin = 0;   // offset of the first output voxel in a packed channel or in a sequence of transformed planes
  ptrdiff_t channel = 0;  // floats of a packed channel
  // With Winograd's algorithm (see winograd.h) a packed channel contains four transformed planes for each pair of
  // output planes: first the first transformed plane of all pairs, then the second one of all pairs, ... A channel of
  // the
  // gradient of an output has six; the last two are the planes themselves.
  bool winograd = false;
  ptrdiff_t transformed = 0;      // stride of the transformed planes of a pair
  ptrdiff_t gradientChannel = 0;  // floats of a packed channel of gradients

  // The number of slots; a slot has the sums over some planes of a case.
  int slots() const { return batch * perCase; }
  int slot(int caseIndex, int z) const { return caseIndex * perCase + z / planes; }

  int firstCase(int slab) const { return slab / perCase * cases; }
  int casesIn(int slab) const { return std::min(cases, batch - firstCase(slab)); }
  int firstPlane(int slab) const { return slab % perCase * planes; }
  int planesIn(int slab) const { return std::min(planes, size.d - firstPlane(slab)); }
  int pairsIn(int slab) const { return (planesIn(slab) + 1) / 2; }
  // Rows to compute, including padding between planes and cases.
  int rowsIn(int slab) const {
    return (winograd ? casesIn(slab) * pairsIn(slab) : casesIn(slab) * (planesIn(slab) + 1) - 1) * (size.h + 1);
  }
};

// Computes the layout of a channel of a slab.
inline void layOut(Slabs& s) {
  s.row = s.size.w + 1;
  s.plane = (s.size.h + 1) * s.row;
  // One row and one float of zeros before the data; output vectors start aligned. After the data: the floats that
  // kernels may read past the last row.
  const ptrdiff_t lead = s.row + 1, behind = s.row + kReadBehind;
  // With a multiple of the page size, all channels would map to the same cache sets.
  const auto spread = [](ptrdiff_t floats) { return floats % 1024 == 0 ? floats + 16 : floats; };
  if (s.winograd) {
    s.origin = (lead + 15) / 16 * 16;
    s.transformed = spread((s.origin + (ptrdiff_t)s.cases * ((s.planes + 1) / 2) * s.plane + lead + 15) / 16 * 16);
    s.channel = spread((kWinogradPlanes * s.transformed + behind) / 16 * 16);
    s.gradientChannel = spread((kWinogradGradientPlanes * s.transformed + behind) / 16 * 16);
  } else {
    s.origin = (lead + s.plane + 15) / 16 * 16;
    s.channel = spread((s.origin + (ptrdiff_t)s.cases * (s.planes + 1) * s.plane + behind) / 16 * 16);
    s.gradientChannel = s.channel;
  }
}

// Cuts a batch into slabs in which `inputs` and `gradients` channels are packed side by side; `weights` is the number
// of floats of the weight-gradient sums of a slab.
inline Slabs cut(Size size, int batch, bool winograd, int inputs, int gradients, size_t weights) {
  constexpr ptrdiff_t kSmall = 4096;        // floats: below this, a slab contains several cases
  constexpr ptrdiff_t kCache = 384 * 1024;  // floats of a packed slab: three quarters of 2 MB
  constexpr size_t kManyWeights = 32768;
  Slabs s;
  s.size = size;
  s.batch = batch;
  s.winograd = winograd;
  // Enough tasks for all threads, but few sets of sums if each set is large.
  const int wanted = weights > kManyWeights ? 4 : 8;
  const ptrdiff_t plane = (ptrdiff_t)(size.h + 1) * (size.w + 1), volume = (size.d + 1) * plane;
  s.planes = size.d;
  if (volume <= kSmall) {
    const int most = (int)std::max<ptrdiff_t>(1, kSmall / volume);
    s.cases = std::max(1, std::min(most, (batch + wanted - 1) / wanted));
    s.count = (batch + s.cases - 1) / s.cases;
  } else {
    const int inCache = winograd ? (int)(kCache / (plane * (2 * inputs + 3 * gradients)))
                                 : (int)(kCache / (plane * std::max(1, inputs + gradients)) - 2);
    const int least = (wanted + batch - 1) / batch;  // slabs per case
    s.planes = std::min({size.d, std::max(2, inCache), (size.d + least - 1) / least});
    s.perCase = (size.d + s.planes - 1) / s.planes;
    s.planes = (size.d + s.perCase - 1) / s.perCase;
    s.planes += s.planes % 2;  // for Winograd's algorithm, and halved()
    s.perCase = (size.d + s.planes - 1) / s.planes;
    s.count = batch * s.perCase;
  }
  s.groups = s.count >= 8 ? 1 : (8 + s.count - 1) / s.count;
  layOut(s);
  return s;
}

// The same slabs of the volume one level below.
inline Slabs halved(const Slabs& s) {
  Slabs half = s;
  half.size = s.size.halved();
  half.planes = s.planes / 2;
  half.winograd = false;
  layOut(half);
  return half;
}

}  // namespace lunet
