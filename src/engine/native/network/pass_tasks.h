// The tasks of each pass over a layer, and the memory that it needs besides the volumes. Both the passes and the memory
// estimate of a network use these.
#pragma once
#include <algorithm>
#include <optional>

#include "network/plan.h"
#include "network/slab_packing.h"
#include "network/slabs.h"
#include "network/up/composition.h"
#include "network/weight_gradient.h"

namespace lunet {

// The memory that a pass needs besides the volumes. For each thread: floats of packed slabs, results and raw planes,
// and pointers. In total: floats of the weight-gradient sums of all tasks, and of composed weights.
struct Room {
  size_t packed = 0, results = 0, raw = 0, pointers = 0, weightSums = 0, composed = 0;

  void widen(const Room& other) {
    packed = std::max(packed, other.packed);
    results = std::max(results, other.results);
    raw = std::max(raw, other.raw);
    pointers = std::max(pointers, other.pointers);
    weightSums = std::max(weightSums, other.weightSums);
    composed = std::max(composed, other.composed);
  }
  size_t bytes(int threads) const {
    return sizeof(float) * (weightSums + composed + threads * (packed + results + raw)) +
           sizeof(float*) * threads * pointers;
  }
};

struct ForwardTasks {
  Slabs slabs;
  std::optional<Corners> corners;
  Room room;

  ForwardTasks(const Plan& plan, const Layer& layer, int batch) {
    const Up* composed = layer.isComposed() ? &plan.ups[layer.up] : nullptr;
    // The coarse volume has an eighth of the voxels, and one more channel for the biases.
    const int coarse = composed ? (composed->inputs + 8) / 8 : 0;
    slabs = cut(plan.sizeAt(layer.level), batch, layer.winograd, layer.direct() + coarse, 0, 0);
    if (composed) corners.emplace(*composed, slabs);
    room.packed = slabs.channel * layer.direct() + (corners ? corners->packedFloats() : 0);
    room.results = resultFloats(slabs) + (corners ? corners->phasesFloats() : 0);
    room.raw = kRawPlanes * slabs.plane;
  }
};

struct BackwardTasks {
  WeightGradient products;
  size_t each;  // sums of a slab: those for the weights, then those for the biases
  Slabs slabs;
  Room room;

  BackwardTasks(const Plan& plan, const Layer& layer, int batch)
      : products(layer.direct(), layer.width, layer.winograd),
        each(products.floats() + layer.width),
        slabs(cut(plan.sizeAt(layer.level), batch, layer.winograd, layer.direct(), layer.width, products.floats())) {
    room.packed = slabs.channel * layer.direct() + slabs.gradientChannel * layer.width;
    room.results = resultFloats(slabs);
    room.raw = (kRawPlanes + 1) * slabs.plane;  // the last one is `mixed` of packGradient
    room.pointers = products.pointers();
    room.weightSums = each * slabs.count;
  }
};

// The head reads the activation of the last layer in runs of voxels.
struct HeadTasks {
  static constexpr int kRun = 1024;  // voxels of a task: a few channels of them stay in the first-level cache

  Room room;

  explicit HeadTasks(const Plan& plan) {
    room.packed = kRun;
    room.pointers = plan.layers.back().width;
  }
};

// The backward pass of an up-convolution that is composed with the convolution after it. A small batch of small volumes
// gives few tasks; more tasks would need more weight sums than they would save.
struct ComposedTasks {
  int inputs, phases, factors;  // one more input than channels, for the biases
  size_t each;                  // sums of a slab
  Slabs slabs;                  // of corners
  Room room;

  ComposedTasks(const Plan& plan, const Up& up, int batch)
      : inputs(up.inputs + 1),
        phases(8 * plan.layers[up.target].width),
        factors(8 * inputs),
        each((size_t)phases * factors),
        slabs(cut(plan.sizeAt(plan.layers[up.source].level), batch, false, inputs, phases, each)) {
    const Size fine = plan.sizeAt(plan.layers[up.target].level);
    room.packed = slabs.channel * (inputs + phases);
    room.results = resultFloats(slabs);
    room.raw = (size_t)2 * (fine.h + 1) * (fine.w + 1);
    room.pointers = factors;
    room.weightSums = each * slabs.count;
    room.composed = each;
  }
};

// Floats of one output of a case in Parameters::foldedUps: for each z, biases and weights of the four (y, x) positions.
inline size_t foldedFloats(const Up& up) { return (size_t)2 * 4 * (1 + up.inputs); }

// The backward pass of a separate up-convolution. Its voxels need no neighbours.
struct UpTasks {
  static constexpr int kRun = 1024;  // voxels that the kernels work on at a time

  int outputs;         // each position of an output channel counts as an output
  int factors;         // the inputs, and a constant 1 for the biases
  int perCase, share;  // tasks of a case, and voxels of a task
  size_t each;         // sums of a task
  Room room;

  UpTasks(const Plan& plan, const Up& up, int batch) : outputs(8 * up.outputs), factors(up.inputs + 1) {
    // Enough tasks for all threads, but not more, since each task has its own sums.
    constexpr int kWanted = 8, kLeast = 256;
    const int voxels = (int)plan.sizeAt(plan.layers[up.source].level).voxels();
    perCase = std::max(1, std::min((kWanted + batch - 1) / batch, voxels / kLeast));
    share = ((voxels + perCase - 1) / perCase + 15) / 16 * 16;
    each = (size_t)outputs * factors;
    room.packed = kRun;
    room.results = kWidestBlock * kRun;
    room.pointers = factors;
    room.weightSums = each * perCase * batch;
  }
};

}  // namespace lunet
