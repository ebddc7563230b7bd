// Packing a channel of a slab, whatever it holds.
#pragma once
#include <cstring>

#include "kernels.h"
#include "slabs.h"

namespace lunet {

// fill(case, z, to) writes plane z of a case, which lies inside the volume; zeros come around it and between cases.
// `gradient` asks for the six parts of an output's gradient; `raw` is room for four planes. Both matter only to
// Winograd's algorithm.
template <typename Fill>
void packChannel(const Kernels& k, const Slabs& s, int slab, bool gradient, float* raw, float* packed, Fill fill) {
  const int planes = s.planesIn(slab), z0 = s.firstPlane(slab), parts = !s.winograd ? 1 : gradient ? 6 : 4;
  const auto write = [&](int n, int z, float* to) {
    if (z < 0 || z >= s.size.d)
      std::memset(to, 0, s.plane * sizeof(float));
    else
      fill(n, z, to);
  };
  float* to = packed + s.origin - (s.winograd ? 0 : s.plane);
  // Zeros in front, for the first row's neighbours.
  for (int part = 0; part < parts; part++) std::memset(to + part * s.part - s.row - 1, 0, (s.row + 1) * sizeof(float));
  for (int i = 0; i < s.casesIn(slab); i++) {
    const int n = s.firstCase(slab) + i;
    if (!s.winograd) {
      // The plane behind a case is the one in front of the next.
      for (int z = i == 0 ? -1 : 0; z <= planes; z++, to += s.plane) write(n, z0 + z, to);
      continue;
    }
    for (int z = 0; z < planes; z += 2, to += s.plane) {
      const float* four[4];
      for (int j = 0; j < 4; j++) {
        float* plane = raw + (z + j) % 4 * s.plane;
        if (z == 0 || j >= 2) write(n, z0 + z + j - 1, plane);
        four[j] = plane;
      }
      (gradient ? k.winograd_gradient : k.winograd_input)((int)s.plane, four, to, s.part);
    }
  }
}

}  // namespace lunet
