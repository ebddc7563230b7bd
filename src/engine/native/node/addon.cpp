// The interface to JavaScript (Node-API): checks each argument, then passes typed arrays to a Network.
// index.ts in the folder above is the only caller.
#include <cstring>

#include "augmentation/augment.h"
#include "kernels/instruction_sets.h"
#include "kernels/kernel_bench.h"
#include "network/flat_shape.h"
#include "node/calls.h"

using namespace lunet;

namespace {

Shape shapeOf(napi_env env, napi_value value) {
  size_t count = SIZE_MAX;
  const int32_t* numbers = array<napi_int32_array>(env, value, "shape", count);
  Shape shape;
  if (!readShape(numbers, count, shape)) fail(env, "native engine: shape is malformed");
  return shape;
}

// Images (and labels) of a batch from JavaScript arrays of typed arrays.
Batch batchOf(napi_env env, const Handle& handle, napi_value images, napi_value labels) {
  const Shape& shape = handle.network->shape();
  uint32_t count = 0, labelCount = 0;
  check(env, napi_get_array_length(env, images, &count), "images is not an array");
  if (labels) check(env, napi_get_array_length(env, labels, &labelCount), "labels is not an array");
  if (count < 1 || (int)count > shape.maxBatch || (labels && labelCount != count))
    fail(env,
         "native engine: expected 1 to " + std::to_string(shape.maxBatch) + " cases, found " + std::to_string(count));
  Batch batch;
  for (uint32_t i = 0; i < count; i++) {
    napi_value value;
    check(env, napi_get_element(env, images, i, &value), "image");
    batch.images.push_back(arrayOf<napi_float32_array>(env, value, "image", shape.size.voxels() * shape.inputChannels));
    if (!labels) continue;
    check(env, napi_get_element(env, labels, i, &value), "label");
    batch.labels.push_back(arrayOf<napi_uint8_array>(env, value, "label", shape.size.voxels()));
  }
  return batch;
}

// Undefined, if a call allows it, means evaluation mode: no dropout.
const float* masksOf(napi_env env, const Handle& handle, napi_value value, const Batch& batch, bool needed) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (!needed && type == napi_undefined) return nullptr;
  return arrayOf<napi_float32_array>(env, value, "masks", (size_t)batch.size() * handle.network->channels());
}

// create(shape, weights, targets, loss [entropy, batchDice, ignored], adam [beta1, beta2, epsilon], m | undefined,
// v | undefined, step, isa, threads)
napi_value create(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 10);
  const Shape shape = shapeOf(env, a.at[0]);
  const Plan plan(shape, false);
  const float* weights = arrayOf<napi_float32_array>(env, a.at[1], "weights", plan.parameters);
  const uint32_t* targets = arrayOf<napi_uint32_array>(env, a.at[2], "targets", 256);
  const int32_t* loss = arrayOf<napi_int32_array>(env, a.at[3], "loss", 3);
  const float* adam = arrayOf<napi_float32_array>(env, a.at[4], "adam", 3);
  const Kernels* kernels = instructionSet(text(env, a.at[8], "isa").c_str());
  if (!kernels) fail(env, "native engine: this machine has no such instruction set");
  const int threads = (int)number(env, a.at[9], "threads");
  if (threads < 1 || threads > 1024) fail(env, "native engine: threads must be 1 to 1024");
  auto handle = std::make_unique<Handle>();
  handle->network = std::make_unique<Network>(shape, weights, targets, Loss(loss), adam, *kernels, threads);
  handle->network->steps() = number(env, a.at[7], "step");
  napi_valuetype type;
  napi_typeof(env, a.at[5], &type);
  if (type != napi_undefined) {
    const size_t bytes = plan.parameters * sizeof(float);
    std::memcpy(handle->network->m(), arrayOf<napi_float32_array>(env, a.at[5], "m", plan.parameters), bytes);
    std::memcpy(handle->network->v(), arrayOf<napi_float32_array>(env, a.at[6], "v", plan.parameters), bytes);
  }
  napi_value result;
  check(
      env,
      napi_create_external(
          env, handle.get(), [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); }, nullptr, &result),
      "external");
  handle.release();
  return result;
}

// trainStep(network, images, labels, masks, learningRate) -> loss
napi_value trainStep(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 5);
  Handle& handle = handleOf(env, a.at[0]);
  const Batch batch = batchOf(env, handle, a.at[1], a.at[2]);
  const float* masks = masksOf(env, handle, a.at[3], batch, true);
  const float rate = (float)number(env, a.at[4], "learning rate");
  const auto loss = std::make_shared<float>();
  Network* network = handle.network.get();
  return start(
      env, a, &handle, [=] { *loss = network->step(batch, masks, rate); },
      [=](napi_env e) { return numberValue(e, *loss); });
}

// gradients(network, images, labels, masks | undefined) -> loss; the gradients are then read with readGradient.
napi_value gradients(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 4);
  Handle& handle = handleOf(env, a.at[0]);
  const Batch batch = batchOf(env, handle, a.at[1], a.at[2]);
  const float* masks = masksOf(env, handle, a.at[3], batch, false);
  const auto loss = std::make_shared<float>();
  Network* network = handle.network.get();
  return start(
      env, a, &handle, [=] { *loss = network->gradients(batch, masks); },
      [=](napi_env e) { return numberValue(e, *loss); });
}

// synflow(network); the gradients are then read with readGradient.
napi_value synflow(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  Handle& handle = handleOf(env, a.at[0]);
  Network* network = handle.network.get();
  return start(
      env, a, &handle, [=] { network->synflow(); }, [](napi_env e) { return numberValue(e, 0); });
}

// evaluate(network, images, labels, overlaps float64 (N, labels, 3))
napi_value evaluate(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 4);
  Handle& handle = handleOf(env, a.at[0]);
  const Batch batch = batchOf(env, handle, a.at[1], a.at[2]);
  Network* network = handle.network.get();
  double* overlaps =
      arrayOf<napi_float64_array>(env, a.at[3], "overlaps", (size_t)3 * batch.size() * network->shape().labels);
  return start(
      env, a, &handle, [=] { network->evaluate(batch, overlaps); }, [](napi_env e) { return numberValue(e, 0); });
}

// predict(network, images, running, probabilities float32 (N, labels, D, H, W))
napi_value predict(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 4);
  Handle& handle = handleOf(env, a.at[0]);
  const Batch batch = batchOf(env, handle, a.at[1], nullptr);
  const bool running = flag(env, a.at[2], "running");
  Network* network = handle.network.get();
  float* out = arrayOf<napi_float32_array>(env, a.at[3], "probabilities",
                                           batch.size() * network->shape().labels * network->shape().size.voxels());
  return start(
      env, a, &handle, [=] { network->predict(batch, running, out); }, [](napi_env e) { return numberValue(e, 0); });
}

// activationSums(network, images, labels, masks | undefined, withGradients, sums float64 (3, N, channels))
napi_value activationSums(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 6);
  Handle& handle = handleOf(env, a.at[0]);
  const Batch batch = batchOf(env, handle, a.at[1], a.at[2]);
  const float* masks = masksOf(env, handle, a.at[3], batch, false);
  const bool withGradients = flag(env, a.at[4], "withGradients");
  Network* network = handle.network.get();
  const size_t count = (size_t)batch.size() * network->channels();
  double* sums = arrayOf<napi_float64_array>(env, a.at[5], "sums", 3 * count);
  return start(
      env, a, &handle,
      [=] { network->activationSums(batch, masks, withGradients, sums, sums + count, sums + 2 * count); },
      [](napi_env e) { return numberValue(e, 0); });
}

// A whole number within -most to most.
int whole(double value, double most, bool& ok) {
  ok = ok && value >= -most && value <= most && value == (double)(int)value;
  return ok ? (int)value : 0;
}

// The numbers that src/engine/native/augment.ts lists: patch, start and size of the region, channels, matrix.
Geometry geometryOf(napi_env env, napi_value value) {
  const double* numbers = arrayOf<napi_float64_array>(env, value, "geometry", 19);
  Geometry geometry;
  bool ok = true;
  for (int axis = 0; axis < 3; axis++) {
    geometry.patch[axis] = whole(numbers[axis], 4096, ok);
    geometry.start[axis] = whole(numbers[3 + axis], 1e6, ok);
    geometry.size[axis] = whole(numbers[6 + axis], 4096, ok);
    ok = ok && geometry.patch[axis] >= 1 && geometry.size[axis] >= 1;
  }
  geometry.channels = whole(numbers[9], 1024, ok);
  double voxels = 1;
  for (int axis = 0; axis < 3; axis++) voxels *= geometry.size[axis];
  for (int i = 0; i < 9; i++) {
    geometry.matrix[i] = numbers[10 + i];
    ok = ok && geometry.matrix[i] >= -1e6 && geometry.matrix[i] <= 1e6;
  }
  if (!ok || geometry.channels < 1 || voxels > 2147483647.0) fail(env, "native engine: impossible geometry");
  return geometry;
}

// augment(isa, geometry, steps, image, label, outImage, outLabel)
napi_value augment(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 7);
  const Kernels* kernels = instructionSet(text(env, a.at[0], "isa").c_str());
  if (!kernels) fail(env, "native engine: this machine has no such instruction set");
  const Steps& steps = stepsFor(kernels->name);
  const Geometry geometry = geometryOf(env, a.at[1]);
  size_t length = SIZE_MAX;
  const double* numbers = array<napi_float64_array>(env, a.at[2], "steps", length);
  std::vector<IntensityStep> list;
  if (!readSteps(numbers, length, geometry.channels, list)) fail(env, "native engine: the steps are malformed");
  const size_t size = (size_t)geometry.size[0] * geometry.size[1] * geometry.size[2];
  const size_t count = (size_t)geometry.patch[0] * geometry.patch[1] * geometry.patch[2];
  const float* image = arrayOf<napi_float32_array>(env, a.at[3], "image", size * geometry.channels);
  const uint8_t* label = arrayOf<napi_uint8_array>(env, a.at[4], "label", size);
  float* out = arrayOf<napi_float32_array>(env, a.at[5], "sample", count * geometry.channels);
  uint8_t* outLabel = arrayOf<napi_uint8_array>(env, a.at[6], "sample's label", count);
  return start(
      env, a, nullptr, [=, &steps] { augment(steps, geometry, list, image, label, out, outLabel); },
      [](napi_env e) { return numberValue(e, 0); });
}

// read(network, which): a copy of the flat list of tensors: 0 weights, 1 gradients, 2 Adam's m, 3 its v.
napi_value read(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 2);
  Handle& handle = handleOf(env, a.at[0]);
  if (handle.busy) fail(env, "native engine: the network is busy; await one call before the next");
  Network& network = *handle.network;
  const int which = (int)number(env, a.at[1], "which");
  if (which < 0 || which > 3) fail(env, "native engine: there are four lists to read");
  float* const lists[] = {network.weights(), network.gradient(), network.m(), network.v()};
  float* data = nullptr;
  const napi_value result = newArray<napi_float32_array>(env, network.parameters(), data);
  std::memcpy(data, lists[which], network.parameters() * sizeof(float));
  return result;
}

napi_value readStep(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  return numberValue(env, handleOf(env, a.at[0]).network->steps());
}

// meter(network): multiply-adds, then seconds of all threads, of the three passes of its 3x3x3 convolutions since the
// last call. The first call starts the measurement.
napi_value meter(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  Handle& handle = handleOf(env, a.at[0]);
  if (handle.busy) fail(env, "native engine: the network is busy; await its call before reading the meter");
  Meter& meter = handle.network->meter();
  double* data = nullptr;
  const napi_value result = newArray<napi_float64_array>(env, 2 * kPasses, data);
  for (int pass = 0; pass < kPasses; pass++) {
    data[pass] = meter.multiplyAdds[pass];
    data[kPasses + pass] = 0;
    for (const Meter::Seconds& thread : meter.seconds) data[kPasses + pass] += thread.at[pass];
  }
  meter.start();
  return result;
}

// interrupt(network): makes the running call reject with "interrupted"; the call then has no effect.
napi_value interrupt(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  Handle& handle = handleOf(env, a.at[0]);
  if (handle.busy) handle.network->interrupt();
  return nullptr;
}

// dispose(network): frees its memory. Must not be called while it is busy.
napi_value dispose(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  Handle& handle = handleOf(env, a.at[0]);
  if (handle.busy) fail(env, "native engine: the network is busy; await its call before disposing of it");
  handle.network.reset();
  return nullptr;
}

// estimateMemory(shape, threads) -> bytes
napi_value estimateMemory(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 2);
  return numberValue(env, (double)Network::estimate(shapeOf(env, a.at[0]), (int)number(env, a.at[1], "threads")));
}

// instructionSets() -> their names, the fastest first
napi_value listInstructionSets(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 0);
  napi_value list;
  check(env, napi_create_array(env, &list), "array");
  uint32_t i = 0;
  for (const Kernels* kernels : instructionSets()) {
    napi_value name;
    napi_create_string_utf8(env, kernels->name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i++, name);
  }
  return list;
}

// peak(isa, threads) -> GFLOP/s of multiply-adds in registers, the best of several short rounds; blocks.
napi_value peak(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 2);
  const Kernels* kernels = instructionSet(text(env, a.at[0], "isa").c_str());
  if (!kernels) fail(env, "native engine: this machine has no such instruction set");
  return numberValue(env, lunet::measurePeak(*kernels, (int)number(env, a.at[1], "threads")));
}

// benchKernels(isa) -> one line per kernel, "kernel\tshape\tGFLOP/s\tGB/s"; blocks for about a second.
napi_value benchKernels(napi_env env, napi_callback_info info) {
  const Arguments a(env, info, 1);
  const Kernels* kernels = instructionSet(text(env, a.at[0], "isa").c_str());
  if (!kernels) fail(env, "native engine: this machine has no such instruction set");
  std::string lines;
  for (const lunet::KernelFigure& figure : lunet::benchKernels(*kernels))
    lines += figure.kernel + '\t' + figure.shape + '\t' + std::to_string(figure.flops / figure.seconds * 1e-9) + '\t' +
             std::to_string(figure.bytes / figure.seconds * 1e-9) + '\n';
  napi_value result;
  check(env, napi_create_string_utf8(env, lines.data(), lines.size(), &result), "figures");
  return result;
}

template <napi_value (*Function)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return Function(env, info);
  } catch (const Thrown&) {
  } catch (const std::bad_alloc&) {
    napi_throw_range_error(env, nullptr, "out of memory");
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

template <napi_value (*Function)(napi_env, napi_callback_info)>
void expose(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<Function>, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  expose<create>(env, exports, "create");
  expose<trainStep>(env, exports, "trainStep");
  expose<gradients>(env, exports, "gradients");
  expose<synflow>(env, exports, "synflow");
  expose<evaluate>(env, exports, "evaluate");
  expose<predict>(env, exports, "predict");
  expose<activationSums>(env, exports, "activationSums");
  expose<augment>(env, exports, "augment");
  expose<read>(env, exports, "read");
  expose<readStep>(env, exports, "readStep");
  expose<meter>(env, exports, "meter");
  expose<interrupt>(env, exports, "interrupt");
  expose<dispose>(env, exports, "dispose");
  expose<estimateMemory>(env, exports, "estimateMemory");
  expose<listInstructionSets>(env, exports, "instructionSets");
  expose<peak>(env, exports, "peak");
  expose<benchKernels>(env, exports, "benchKernels");
  return exports;
}
