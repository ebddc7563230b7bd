// The interface to JavaScript for WebAssembly: an instance of the module is one network with its own memory.
// Arguments are addresses in this memory; src/engine/wasm/instance.ts, the only caller, checks lengths and copies.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "kernels/instruction_sets.h"
#include "network/flat_shape.h"
#include "network/network.h"
#include "platform/platform.h"

using namespace lunet;

namespace {

std::unique_ptr<Network> network;

// `count` images (C, D, H, W), and labels (D, H, W) if there are any, one after the other.
Batch batchOf(int count, const float* images, const uint8_t* labels) {
  const Shape& shape = network->shape();
  const size_t voxels = shape.size.voxels();
  Batch batch;
  for (int n = 0; n < count; n++) {
    batch.images.push_back(images + n * voxels * shape.inputChannels);
    if (labels) batch.labels.push_back(labels + n * voxels);
  }
  return batch;
}

}  // namespace

#define LUNET_EXPORT(name) extern "C" __attribute__((export_name(#name)))

LUNET_EXPORT(allocate) void* lunet_allocate(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (!memory) outOfMemory();
  return memory;
}

LUNET_EXPORT(release) void lunet_release(void* memory) { std::free(memory); }

// An upper limit of the bytes of a network; 0 for a malformed shape.
LUNET_EXPORT(estimateMemory) double lunet_estimate_memory(const int32_t* numbers, int count) {
  Shape shape;
  return readShape(numbers, count, shape) ? (double)Network::estimate(shape, 1) : 0;
}

// Number of floats in the flat list of tensors of a network; 0 for a malformed shape.
LUNET_EXPORT(countParameters) int lunet_count_parameters(const int32_t* numbers, int count) {
  Shape shape;
  return readShape(numbers, count, shape) ? (int)Plan(shape, false).parameters : 0;
}

// The shape must be valid.
LUNET_EXPORT(create)
void lunet_create(const int32_t* numbers, int count, const float* weights, const uint32_t* targets,
                  const int32_t* loss, const float* adam, double step) {
  Shape shape;
  readShape(numbers, count, shape);
  network = std::make_unique<Network>(shape, weights, targets, Loss(loss), adam, *instructionSet(""), 1);
  network->steps() = step;
}

// Number of channels of all layers.
LUNET_EXPORT(channels) int lunet_channels() { return network->channels(); }

LUNET_EXPORT(trainStep)
float lunet_train_step(int count, const float* images, const uint8_t* labels, const float* masks, float rate) {
  return network->step(batchOf(count, images, labels), masks, rate);
}

LUNET_EXPORT(gradients)
float lunet_gradients(int count, const float* images, const uint8_t* labels, const float* masks) {
  return network->gradients(batchOf(count, images, labels), masks);
}

LUNET_EXPORT(synflow) void lunet_synflow() { network->synflow(); }

LUNET_EXPORT(evaluate) void lunet_evaluate(int count, const float* images, const uint8_t* labels, double* overlaps) {
  network->evaluate(batchOf(count, images, labels), overlaps);
}

LUNET_EXPORT(predict) void lunet_predict(int count, const float* images, bool running, float* probabilities) {
  network->predict(batchOf(count, images, nullptr), running, probabilities);
}

LUNET_EXPORT(activationSums)
void lunet_activation_sums(int count, const float* images, const uint8_t* labels, const float* masks,
                           bool withGradients, double* sums) {
  const size_t each = (size_t)count * network->channels();
  network->activationSums(batchOf(count, images, labels), masks, withGradients, sums, sums + each, sums + 2 * each);
}

// Whether the last call was interrupted; the caller asks after each computing call.
LUNET_EXPORT(wasCut) bool lunet_was_cut() {
  const bool cut = network->cut();
  network->resume();
  return cut;
}

// The address of a flat list of tensors: 0 weights, 1 gradients, 2 first moments of Adam, 3 second moments of Adam.
LUNET_EXPORT(tensors) float* lunet_tensors(int which) {
  switch (which) {
    case 0:
      return network->weights();
    case 1:
      return network->gradient();
    case 2:
      return network->m();
    default:
      return network->v();
  }
}

LUNET_EXPORT(stepCount) double lunet_step_count() { return network->steps(); }

// Multiply-adds, then seconds, of the three passes since the last call; the first call starts the measurement.
LUNET_EXPORT(meter) void lunet_meter(double* figures) {
  Meter& meter = network->meter();
  std::memcpy(figures, meter.multiplyAdds, sizeof meter.multiplyAdds);
  std::memcpy(figures + kPasses, meter.seconds[0].at, sizeof meter.seconds[0].at);
  meter.start();
}
