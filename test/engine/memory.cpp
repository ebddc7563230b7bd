// Run by scripts/sanitize.js: compares the memory estimate of a network with the memory that it has after training,
// evaluation and prediction, for several shapes, batches and numbers of threads. Exits with 1 if the network has more,
// or far less.
#include <cstdio>
#include <vector>

#include "kernels/instruction_sets.h"
#include "network/network.h"

using namespace lunet;

namespace {

Shape shapeOf(std::vector<std::vector<int>> encoder, std::vector<std::vector<int>> decoder, std::vector<int> up,
              bool skips, Size size, int batch) {
  Shape shape;
  shape.inputChannels = 1;
  shape.labels = 2;
  shape.skips = skips;
  shape.encoder = encoder;
  shape.decoder = decoder;
  shape.up = up;
  shape.size = size;
  shape.maxBatch = batch;
  return shape;
}

bool check(const Kernels& kernels, const Shape& shape, int threads) {
  const Plan plan(shape, true);
  const std::vector<float> weights(plan.parameters, 0.1f);
  uint32_t targets[256] = {0, 1, 2};
  const float adam[3] = {0.9f, 0.999f, 1e-8f};
  const int32_t loss[] = {0, 1, -1};
  Network network(shape, weights.data(), targets, Loss(loss), adam, kernels, threads);
  const std::vector<float> image(shape.size.voxels(), 0.5f);
  const std::vector<uint8_t> label(shape.size.voxels(), 1);
  Batch batch;
  batch.images.assign(shape.maxBatch, image.data());
  batch.labels.assign(shape.maxBatch, label.data());
  const std::vector<float> masks((size_t)shape.maxBatch * plan.channels, 1);
  network.step(batch, masks.data(), 0.01f);
  std::vector<double> overlaps((size_t)3 * shape.labels * shape.maxBatch);
  network.evaluate(batch, overlaps.data());
  network.synflow();
  const size_t held = network.bytes(), said = Network::estimate(shape, threads);
  const bool right = held <= said && said <= held + held / 4;
  int composed = 0;
  for (const Up& up : plan.ups) composed += up.composed;
  std::printf("%d composed of %zu, %d^3, batch %d, %d threads: has %zu KB, estimated %zu KB%s\n", composed,
              plan.ups.size(), shape.size.d, shape.maxBatch, threads, held >> 10, said >> 10, right ? "" : ": WRONG");
  return right;
}

}  // namespace

int main() {
  const Kernels& kernels = *instructionSet("");
  bool passed = true;
  for (int threads : {1, 2, 5})
    for (int batch : {1, 4, 11}) {
      passed &= check(kernels, shapeOf({{4, 4}, {8, 8}, {16, 16}}, {{4, 4}, {8, 8}}, {4, 8}, true, {16, 16, 16}, batch),
                      threads);
      passed &= check(kernels, shapeOf({{1}, {40}}, {{1}}, {40}, true, {24, 24, 24}, batch), threads);
      passed &= check(kernels, shapeOf({{3}, {2}, {1}}, {{2}, {1}}, {9, 3}, false, {16, 16, 16}, batch), threads);
      passed &= check(kernels, shapeOf({{2}, {64}}, {{3}}, {2}, true, {4, 4, 4}, batch), threads);
    }
  return passed ? 0 : 1;
}
