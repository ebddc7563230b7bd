#include "network/flat_shape.h"

namespace lunet {

bool readShape(const int32_t* numbers, size_t count, Shape& shape) {
  constexpr int kMostLevels = 16, kMostLabels = 32;
  constexpr double kMostVoxels = 2e9;
  const int32_t* const end = numbers + count;
  bool valid = true;
  const auto next = [&](int least) {
    valid = valid && numbers != end && *numbers >= least;
    return valid ? (int)*numbers++ : 1;
  };
  const auto list = [&](int length) {
    std::vector<int> result;
    for (int i = 0; i < length && valid; i++) result.push_back(next(1));
    return result;
  };
  const auto blocks = [&](const std::vector<int>& layers) {
    std::vector<std::vector<int>> result;
    for (int each : layers) result.push_back(list(each));
    return result;
  };
  shape.inputChannels = next(1);
  shape.labels = next(1);
  shape.skips = next(0) != 0;
  const int depth = next(1), height = next(1), width = next(1);
  shape.size = {depth, height, width};
  shape.maxBatch = next(1);
  const int levels = next(1);
  if (levels > kMostLevels || shape.labels > kMostLabels) return false;
  const std::vector<int> encoder = list(levels), decoder = list(levels - 1);
  shape.encoder = blocks(encoder);
  shape.decoder = blocks(decoder);
  shape.up = list(levels - 1);
  const int multiple = 1 << (levels - 1);
  return valid && numbers == end && depth % multiple == 0 && height % multiple == 0 && width % multiple == 0 &&
         (double)depth * height * width <= kMostVoxels;
}

}  // namespace lunet
