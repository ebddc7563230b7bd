// Makes a sample of a region of a volume on the calling thread: the same bits as src/augmentation/oracle.ts.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "augmentation/steps.h"

namespace lunet {

// What is done to the intensities of one channel, in the order of the list; src/augmentation/native.ts writes it.
struct IntensityStep {
  enum Kind { Noise, Blur, Brightness, Contrast, LowResolution, Gamma, Kinds };
  Kind kind;
  int channel;
  // Noise: deviation and two words of its seed. Blur: weights. Brightness, contrast: factor. Low resolution: scale.
  // Gamma: exponent, and 1 if inverted.
  std::vector<double> numbers;
};

// Reads [kind, channel, count, numbers...] one behind the other; false if the list is malformed.
bool readSteps(const double* list, size_t count, int channels, std::vector<IntensityStep>& steps);

// The loops for an instruction set of this name.
const Steps& stepsFor(const char* name);

// `image` (channels, z, y, x) and `label` are the region's, `out` and `outLabel` the sample's.
void augment(const Steps& steps, const Geometry& geometry, const std::vector<IntensityStep>& list, const float* image,
             const uint8_t* label, float* out, uint8_t* outLabel);

}  // namespace lunet
