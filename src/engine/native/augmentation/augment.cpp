// The order of augmentation's steps, and the memory between them.
#include "augmentation/augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lunet {

#if defined(LUNET_X86)
extern const Steps steps_avx512, steps_avx2;
#endif
extern const Steps steps_baseline;

const Steps& stepsFor(const char* name) {
#if defined(LUNET_X86)
  for (const Steps* steps : {&steps_avx512, &steps_avx2})
    if (std::strcmp(steps->name, name) == 0) return *steps;
#endif
  (void)name;
  return steps_baseline;
}

bool readSteps(const double* list, size_t count, int channels, std::vector<IntensityStep>& steps) {
  for (size_t at = 0; at < count;) {
    if (count - at < 3) return false;
    const double kind = list[at], channel = list[at + 1], length = list[at + 2];
    at += 3;
    if (!(kind >= 0 && kind < IntensityStep::Kinds && channel >= 0 && channel < channels && length >= 1 &&
          length <= (double)(count - at)))
      return false;
    const size_t least[] = {3, 1, 1, 1, 1, 2};
    IntensityStep step{(IntensityStep::Kind)(int)kind, (int)channel, {list + at, list + at + (size_t)length}};
    if (step.numbers.size() < least[step.kind]) return false;
    at += (size_t)length;
    steps.push_back(std::move(step));
  }
  return true;
}

namespace {

size_t voxelsOf(const int* size) { return (size_t)size[0] * size[1] * size[2]; }

bool isIdentity(const double* matrix) {
  for (int i = 0; i < 9; i++)
    if (matrix[i] != (i % 4 == 0 ? 1 : 0)) return false;
  return true;
}

// The patch as it lies in the region, 0 outside.
template <typename Voxel>
void cut(const Geometry& g, const Voxel* from, Voxel* to) {
  const int first = std::max(0, g.start[0]), last = std::min(g.patch[0], g.start[0] + g.size[0]);
  std::fill(to, to + voxelsOf(g.patch), Voxel(0));
  if (first >= last) return;
  for (int z = std::max(0, g.start[2]); z < std::min(g.patch[2], g.start[2] + g.size[2]); z++)
    for (int y = std::max(0, g.start[1]); y < std::min(g.patch[1], g.start[1] + g.size[1]); y++) {
      const Voxel* row = from + ((size_t)(z - g.start[2]) * g.size[1] + y - g.start[1]) * g.size[0] + first - g.start[0];
      std::copy(row, row + (last - first), to + ((size_t)z * g.patch[1] + y) * g.patch[0] + first);
    }
}

// One channel of a sample.
struct Channel {
  const Steps& steps;
  const int* size;
  float* voxels;

  size_t count() const { return voxelsOf(size); }
  float* row(int y, int z) const { return voxels + ((size_t)z * size[1] + y) * size[0]; }

  Statistics statistics() const {
    Statistics found;
    steps.statistics(count(), voxels, found);
    return found;
  }

  // Along x and y plane by plane into a copy, then along z.
  void blur(const std::vector<double>& numbers) const {
    const std::vector<float> weights(numbers.begin(), numbers.end());
    const int radius = (int)weights.size() - 1, width = size[0];
    const size_t plane = (size_t)width * size[1];
    std::vector<float> padded(width + 2 * radius), rows(plane), copy(count());
    std::vector<const float*> pointers(2 * radius + 1);
    const float** at = pointers.data() + radius;
    for (int z = 0; z < size[2]; z++) {
      for (int y = 0; y < size[1]; y++) {
        const float* from = row(y, z);
        std::fill_n(padded.begin(), radius, from[0]);
        std::copy(from, from + width, padded.begin() + radius);
        std::fill_n(padded.begin() + radius + width, radius, from[width - 1]);
        for (int d = -radius; d <= radius; d++) at[d] = padded.data() + radius + d;
        steps.blur_row(width, at, radius, weights.data(), rows.data() + (size_t)y * width);
      }
      for (int y = 0; y < size[1]; y++) {
        for (int d = -radius; d <= radius; d++)
          at[d] = rows.data() + (size_t)std::clamp(y + d, 0, size[1] - 1) * width;
        steps.blur_row(width, at, radius, weights.data(), copy.data() + z * plane + (size_t)y * width);
      }
    }
    for (int z = 0; z < size[2]; z++)
      for (int y = 0; y < size[1]; y++) {
        for (int d = -radius; d <= radius; d++)
          at[d] = copy.data() + std::clamp(z + d, 0, size[2] - 1) * plane + (size_t)y * width;
        steps.blur_row(width, at, radius, weights.data(), row(y, z));
      }
  }

  void stretch(float factor) const {
    const Statistics found = statistics();
    steps.stretch(count(), voxels, (float)found.mean, factor, found.min, found.max);
  }

  void raise(float exponent, bool inverted) const {
    const Statistics before = statistics();
    if (!(before.max > before.min)) return;
    const float range = (float)((inverted ? -1.0 : 1.0) / ((double)before.max - before.min));
    steps.power(count(), voxels, inverted ? before.max : before.min, range, exponent, inverted);
    const Statistics after = statistics();
    const float back = (float)(before.deviation / std::max(after.deviation, 1e-8));
    steps.scale(count(), voxels, back, (float)(before.mean - after.mean * back));
  }

  void lowerResolution(double scale) const {
    int few[3];
    std::vector<int> taken[3], low[3], high[3];
    std::vector<float> weight[3];
    for (int axis = 0; axis < 3; axis++) {
      few[axis] = std::max(1, (int)std::floor(size[axis] * scale + 0.5));
      for (int i = 0; i < few[axis]; i++)
        taken[axis].push_back(std::min(size[axis] - 1, (int)std::floor((i + 0.5) * size[axis] / few[axis])));
      for (int i = 0; i < size[axis]; i++) {
        const double wanted = std::clamp((i + 0.5) * few[axis] / size[axis] - 0.5, 0.0, few[axis] - 1.0);
        low[axis].push_back((int)std::floor(wanted));
        high[axis].push_back(std::min(low[axis][i] + 1, few[axis] - 1));
        weight[axis].push_back((float)(wanted - low[axis][i]));
      }
    }
    std::vector<float> kept;
    kept.reserve(voxelsOf(few));
    for (int z : taken[2])
      for (int y : taken[1])
        for (int x : taken[0]) kept.push_back(row(y, z)[x]);
    const auto rowOf = [&](int y, int z) { return kept.data() + ((size_t)z * few[1] + y) * few[0]; };
    std::vector<float> near(few[0]), far(few[0]), line(few[0]);
    for (int z = 0; z < size[2]; z++)
      for (int y = 0; y < size[1]; y++) {
        const int y0 = low[1][y], y1 = high[1][y], z0 = low[2][z], z1 = high[2][z];
        steps.mix(few[0], rowOf(y0, z0), rowOf(y1, z0), weight[1][y], near.data());
        steps.mix(few[0], rowOf(y0, z1), rowOf(y1, z1), weight[1][y], far.data());
        steps.mix(few[0], near.data(), far.data(), weight[2][z], line.data());
        steps.mix_within(size[0], line.data(), {low[0].data(), high[0].data(), weight[0].data()}, row(y, z));
      }
  }
};

void change(const Channel& channel, const IntensityStep& step) {
  const double number = step.numbers[0];
  switch (step.kind) {
    case IntensityStep::Noise: {
      const uint32_t seed[] = {(uint32_t)step.numbers[1], (uint32_t)step.numbers[2]};
      return channel.steps.noise(channel.count(), channel.voxels, (float)number, seed);
    }
    case IntensityStep::Blur:
      return channel.blur(step.numbers);
    case IntensityStep::Brightness:
      return channel.steps.scale(channel.count(), channel.voxels, (float)number, -0.0f);
    case IntensityStep::Contrast:
      return channel.stretch((float)number);
    case IntensityStep::LowResolution:
      return channel.lowerResolution(number);
    default:
      return channel.raise((float)number, step.numbers[1] != 0);
  }
}

}  // namespace

void augment(const Steps& steps, const Geometry& geometry, const std::vector<IntensityStep>& list, const float* image,
             const uint8_t* label, float* out, uint8_t* outLabel) {
  const size_t count = voxelsOf(geometry.patch), size = voxelsOf(geometry.size);
  if (isIdentity(geometry.matrix)) {
    for (int channel = 0; channel < geometry.channels; channel++)
      cut(geometry, image + channel * size, out + channel * count);
    cut(geometry, label, outLabel);
  } else {
    steps.transform(geometry, image, label, out, outLabel);
  }
  for (const IntensityStep& step : list) change({steps, geometry.patch, out + step.channel * count}, step);
}

}  // namespace lunet
