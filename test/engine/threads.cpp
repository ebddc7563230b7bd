// Run with the thread sanitizer by scripts/sanitize.js: compares networks on several threads, interrupted at any time,
// with the bits of one thread. Exits with 1 if they differ; the sanitizer fails if there is a data race.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

#include "kernels/instruction_sets.h"
#include "network/network.h"

using namespace lunet;

namespace {

std::vector<float> noise(size_t count, unsigned state) {
  std::vector<float> values(count);
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = (float)(state >> 8) / (1 << 24) - 0.5f;
  }
  return values;
}

Shape flatShape(int width, Size size, int batch) {
  Shape shape;
  shape.inputChannels = 1;
  shape.labels = 1;
  shape.skips = true;
  shape.encoder = {{width, width}, {width}, {width}};
  shape.decoder = {{width, width}, {width}};
  shape.up = {width, width};
  shape.size = size;
  shape.maxBatch = batch;
  return shape;
}

std::vector<float> train(const Kernels& kernels, int threads, int steps, bool interrupted) {
  const Size size{12, 8, 20};
  const int batch = 3;
  const Shape shape = flatShape(5, size, batch);
  const Plan plan(shape, false);
  std::vector<float> weights = noise(plan.parameters, 1);
  for (float& value : weights) value += 0.6f;  // positive, since variances are among them
  uint32_t targets[256] = {0, 1};
  const float adam[3] = {0.9f, 0.999f, 1e-8f};
  const int32_t loss[] = {0, 1, -1};
  Network network(shape, weights.data(), targets, Loss(loss), adam, kernels, threads);
  std::vector<std::vector<float>> images;
  std::vector<uint8_t> label(size.voxels());
  for (size_t i = 0; i < label.size(); i++) label[i] = i % 5 < 2;
  Batch cases;
  for (int n = 0; n < batch; n++) {
    images.push_back(noise(size.voxels(), 7 + n));
    cases.labels.push_back(label.data());
  }
  for (const auto& image : images) cases.images.push_back(image.data());
  const std::vector<float> masks((size_t)batch * plan.channels, 1);
  for (int step = 0; step < steps; step++) {
    if (interrupted) {
      std::atomic<int> waited{0};
      std::thread other([&] {
        for (int i = 0; i < step * 1000; i++) waited++;
        network.interrupt();
      });
      network.gradients(cases, masks.data());
      other.join();
      network.resume();
    }
    network.step(cases, masks.data(), 0.01f);
  }
  network.gradients(cases, nullptr);
  std::vector<double> overlaps(3 * batch);
  network.evaluate(cases, overlaps.data());
  return {network.weights(), network.weights() + plan.parameters};
}

}  // namespace

int main() {
  const Kernels& kernels = *instructionSet("");
  const std::vector<float> one = train(kernels, 1, 4, false);
  for (int threads : {2, 3, 8})
    for (bool interrupted : {false, true})
      if (train(kernels, threads, 4, interrupted) != one) {
        std::printf("%d threads%s: other bits than with one\n", threads, interrupted ? ", interrupted" : "");
        return 1;
      }
  // Two networks at once, each with its own threads.
  std::vector<float> results[2];
  std::thread first([&] { results[0] = train(kernels, 2, 4, false); });
  std::thread second([&] { results[1] = train(kernels, 2, 4, true); });
  first.join();
  second.join();
  if (results[0] != one || results[1] != one) {
    std::printf("two networks at once disturb each other\n");
    return 1;
  }
  std::printf("threads: the same bits, no races\n");
  return 0;
}
