// The table of augmentation's loops over voxels that an instruction set provides: what src/augmentation/oracle.ts computes,
// to the bit. Volumes are (z, y, x), x runs fastest; triples are along x, y, z.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lunet {

// The box of a volume that a sample is made of, and the sample.
struct Geometry {
  int patch[3];
  int start[3];  // of the region, from the patch's first voxel
  int size[3];   // of the region
  int channels;
  double matrix[9];  // by rows: what a step of one voxel of the patch is in voxels of the region
};

struct Statistics {
  double mean, deviation;
  float min, max;
};

// Where the voxels of one axis of a sample lie between those that lowering the resolution keeps.
struct Between {
  const int* low;
  const int* high;
  const float* weight;
};

struct Steps {
  const char* name;

  // The sample at each voxel of the patch: linear for images (channels, z, y, x), nearest for labels, 0 outside.
  void (*transform)(const Geometry& geometry, const float* image, const uint8_t* label, float* out, uint8_t* outLabel);
  // Adds normal numbers times `deviation`, hashes of `seed` and of the voxel's index.
  void (*noise)(size_t count, float* voxels, float deviation, const uint32_t* seed);
  // One pass of a blur: to[i] = weights[0] * at[0][i] + sum over d of weights[d] * (at[-d][i] + at[d][i]).
  void (*blur_row)(int count, const float* const* at, int radius, const float* weights, float* to);
  // voxels = voxels * scale + shift.
  void (*scale)(size_t count, float* voxels, float scale, float shift);
  void (*statistics)(size_t count, const float* voxels, Statistics& result);
  // voxels = (voxels - middle) * factor + middle, within min to max.
  void (*stretch)(size_t count, float* voxels, float middle, float factor, float min, float max);
  // voxels = ((voxels - origin) * scale) ^ exponent, with the other sign if `inverted`.
  void (*power)(size_t count, float* voxels, float origin, float scale, float exponent, bool inverted);
  // to = a * (1 - weight) + b * weight.
  void (*mix)(int count, const float* a, const float* b, float weight, float* to);
  // The same along a row, between the voxels that `between` names.
  void (*mix_within)(int count, const float* row, Between between, float* to);
};

}  // namespace lunet
