// How the passes over a layer are cut up and what room they take, for the passes themselves and for the estimate of a
// network's memory.
#pragma once
#include <algorithm>
#include <optional>

#include "network/plan.h"
#include "network/slabs.h"
#include "network/up_composition.h"
#include "network/weight_gradient.h"

namespace lunet {

// What a pass needs besides the arena: floats of packed slabs, results and raw planes, and pointers, for each thread;
// floats of partial sums for all tasks together.
struct Room {
  size_t packed = 0, results = 0, raw = 0, pointers = 0, partial = 0;

  void widen(const Room& other) {
    packed = std::max(packed, other.packed);
    results = std::max(results, other.results);
    raw = std::max(raw, other.raw);
    pointers = std::max(pointers, other.pointers);
    partial = std::max(partial, other.partial);
  }
  size_t bytes(int threads) const {
    return sizeof(float) * (partial + threads * (packed + results + raw)) + sizeof(float*) * threads * pointers;
  }
};

struct ForwardPass {
  Slabs slabs;
  std::optional<Corners> corners;
  Room room;

  ForwardPass(const Plan& plan, const Layer& layer, int batch) {
    const Up* composed = layer.isComposed() ? &plan.ups[layer.up] : nullptr;
    // An eighth of the voxels, and one channel more for the biases.
    const int coarse = composed ? (composed->inputs + 8) / 8 : 0;
    slabs = cut(plan.sizeAt(layer.level), batch, layer.winograd, layer.direct() + coarse, 0, 0);
    if (composed) corners.emplace(*composed, slabs);
    room.packed = slabs.channel * layer.direct() + (corners ? corners->packedFloats() : 0);
    room.results = resultFloats(slabs) + (corners ? corners->partsFloats() : 0);
    room.raw = 4 * slabs.plane;
  }
};

struct BackwardPass {
  WeightGradient products;
  size_t each;  // partial sums of a slab: of the weights, then of the biases
  Slabs slabs;
  Room room;

  BackwardPass(const Plan& plan, const Layer& layer, int batch)
      : products(layer.direct(), layer.width, layer.winograd),
        each(products.floats() + layer.width),
        slabs(cut(plan.sizeAt(layer.level), batch, layer.winograd, layer.direct(), layer.width, products.floats())) {
    room.packed = slabs.channel * layer.direct() + slabs.gradientChannel * layer.width;
    room.results = resultFloats(slabs);
    room.raw = 5 * slabs.plane;  // the last one for what is mixed, see Network::packGradient
    room.pointers = products.pointers();
    room.partial = each * slabs.count;
  }
};

// Over the last layer's activation, run by run.
struct HeadPass {
  static constexpr int kRun = 1024;  // voxels of a task: a few channels of them stay in the first-level cache

  Room room;

  explicit HeadPass(const Plan& plan) {
    room.packed = kRun;
    room.pointers = plan.layers.back().width;
  }
};

// Through an up-convolution and the convolution it is composed with, to the coarse volume. Small volumes of few cases
// are few tasks: that costs less than taking their weights' sums apart would.
struct ComposedPass {
  int inputs, parts, factors;  // one more input than channels, for the biases
  size_t each;                 // partial sums of a slab
  Slabs slabs;                 // of corners
  Room room;

  ComposedPass(const Plan& plan, const Up& up, int batch)
      : inputs(up.inputs + 1),
        parts(8 * plan.layers[up.target].width),
        factors(8 * inputs),
        each((size_t)parts * factors),
        slabs(cut(plan.sizeAt(plan.layers[up.source].level), batch, false, inputs, parts, each)) {
    const Size fine = plan.sizeAt(plan.layers[up.target].level);
    room.packed = slabs.channel * (inputs + parts);
    room.results = resultFloats(slabs);
    room.raw = (size_t)2 * (fine.h + 1) * (fine.w + 1);
    room.pointers = factors;
    room.partial = each * slabs.count;
  }
};

// Through an up-convolution by itself, whose voxels need no neighbours.
struct UpPass {
  static constexpr int kRun = 1024;  // voxels that the kernels work on at a time

  int parts, factors;  // an output channel's positions count as channels; the last factor is constant, for the biases
  int perCase, share;  // tasks of a case, and voxels of a task
  size_t each;         // partial sums of a task
  Room room;

  UpPass(const Plan& plan, const Up& up, int batch) : parts(8 * up.outputs), factors(up.inputs + 1) {
    // Work for all threads, in as few partial sums as that takes.
    constexpr int kWanted = 8, kLeast = 256;
    const int voxels = (int)plan.sizeAt(plan.layers[up.source].level).voxels();
    perCase = std::max(1, std::min((kWanted + batch - 1) / batch, voxels / kLeast));
    share = ((voxels + perCase - 1) / perCase + 15) / 16 * 16;
    each = (size_t)parts * factors;
    room.packed = kRun;
    room.results = kWidest * kRun;
    room.pointers = factors;
    room.partial = each * perCase * batch;
  }
};

}  // namespace lunet
