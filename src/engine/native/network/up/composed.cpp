// Up-convolutions composed with the convolution that reads them (see composition.h). In the forward pass, a task of the
// layer packs the coarse volume and adds its contribution to each piece of the result. In the backward pass they have a
// separate pass, which packs the gradient before the ReLU of the layer by phases of corners. The gradients of the
// composed weights and of the coarse volume then use the same kernels as all other convolutions.
#include <cmath>

#include "network/passes.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {

Composition compositionOf(const Up& up, const Layer& reader) { return {up.inputs + 1, up.outputs, reader.width}; }

std::vector<float> absoluteOf(std::vector<float> values) {
  for (float& value : values) value = std::fabs(value);
  return values;
}

// The gradient of fine voxels flows back to the coarse voxels before and at their corner.
Taps turned(const Taps& taps) {
  Taps back = taps;
  for (int t = 0; t < taps.count; t++) back.at[t] = -taps.at[t];
  return back;
}

// The weights of an up-convolution, with its biases as the weights of one more input, in the order of Composition.
std::vector<float> upWeights(const Up& up, const float* w, bool absolute) {
  std::vector<float> weights;
  for (int i = 0; i < 8 * up.outputs; i++) {
    for (int c = 0; c < up.inputs; c++) weights.push_back(w[up.weight + (size_t)c * 8 * up.outputs + i]);
    weights.push_back(w[up.bias + i / 8]);
  }
  return absolute ? absoluteOf(weights) : weights;
}

// The weights with which a convolution reads the output of an up-convolution.
std::vector<float> readerWeights(const Up& up, const Layer& reader, const float* w, bool absolute) {
  std::vector<float> weights;
  for (int o = 0; o < reader.width; o++) {
    const float* from = w + reader.weight + (size_t)o * reader.inputs * 27;
    weights.insert(weights.end(), from, from + (size_t)up.outputs * 27);
  }
  return absolute ? absoluteOf(weights) : weights;
}

// Splits the gradient of the composed weights into those of the two layers. PyTorch's axes are (output, input, tap) and
// (input, output, position).
void takeApart(State& state, const Up& up, const float* composed, bool synflow) {
  const Layer& reader = state.plan.layers[up.target];
  const Composition composition = compositionOf(up, reader);
  const float* w = state.parameters.weights.data();
  const std::vector<float> ups = upWeights(up, w, synflow), weights = readerWeights(up, reader, w, synflow);
  float* gradient = state.parameters.gradient.data();
  state.threads.run(reader.width, [&](int o, int) {
    composition.convolutionGradient(o, composed, ups.data(), gradient + reader.weight + (size_t)o * reader.inputs * 27);
  });
  state.threads.run(up.outputs, [&](int u, int) {
    std::vector<double> sums((size_t)composition.inputs * 8);
    composition.upGradient(u, composed, weights.data(), sums.data());
    for (int c = 0; c < up.inputs; c++)
      for (int position = 0; position < 8; position++)
        gradient[up.weight + ((size_t)c * up.outputs + u) * 8 + position] =
            (float)sums[position * composition.inputs + c];
    double bias = 0;
    for (int position = 0; position < 8; position++) bias += sums[position * composition.inputs + up.inputs];
    gradient[up.bias + u] = (float)bias;
  });
}

// Packs the gradient before the ReLU of the reader by phases of corners, the phases of each output side by side. `raw`
// is scratch memory for two fine planes.
void packPhases(const State& state, const Up& up, const Slabs& s, int slab, bool synflow, float* raw, float* packed) {
  const Layer& reader = state.plan.layers[up.target];
  const Size fine = state.plan.sizeAt(reader.level);
  const Rows rows{fine.h, fine.w, fine.w + 1};
  float* mixed = raw + (fine.h + 1) * rows.stride;
  const int planes = s.planesIn(slab), z0 = s.firstPlane(slab);
  for (int o = 0; o < reader.width; o++)
    for (int zPhase = 0; zPhase < 2; zPhase++, packed += kPlanePhases * s.channel) {
      float* to = packed + s.origin;
      for (int i = 0; i < s.casesIn(slab); i++)
        for (int j = 0; j <= planes; j++, to += s.plane) {
          const int z = 2 * (z0 + j) - zPhase;
          if (z >= 0 && z < fine.d) {
            packGradient(state, up.target, s.firstCase(slab) + i, o, z, rows, raw, mixed, synflow);
            state.kernels.split_phases(rows, raw, to, s.channel, s.row);
          } else {
            for (int phase = 0; phase < kPlanePhases; phase++) std::fill_n(to + phase * s.channel, s.plane, 0.0f);
          }
        }
    }
}

// The backward pass of an up-convolution. A task computes a slab of corners.
class ComposedBackward {
 public:
  ComposedBackward(State& state, const Batch& batch, const Up& up, bool synflow)
      : state_(state),
        batch_(batch),
        up_(up),
        synflow_(synflow),
        from_(state.plan.layers[up.source]),
        size_(state.plan.sizeAt(from_.level)),
        tasks_(state.plan, up, state.volumes.batch),
        slabs_(tasks_.slabs),
        turned_(state.kernels, 8, tasks_.phases, up.inputs),
        taps_(cornerTaps(slabs_)),
        turnedTaps_(turned(taps_)) {}

  void run() {
    Workspace& work = state_.workspace;
    Channels& channels = state_.channels;
    work.reserve(tasks_.room);
    work.slots.clear(slabs_.slots(), up_.inputs);
    state_.threads.run(slabs_.count, [&](int slab, int thread) { computeSlab(slab, thread); });
    work.slots.addUp(state_.volumes.batch, slabs_.perCase, channels, from_.channelAt, channels.gradientSum,
                     channels.gradientProduct);
    addWeightSums(state_, slabs_.count, tasks_.each, work.composed.data());
    takeApart(state_, up_, work.composed.data(), synflow_);
  }

 private:
  void computeSlab(int slab, int thread) {
    Scratch& scratch = state_.workspace.scratch[thread];
    float* dy = scratch.packed.data();
    float* x = dy + tasks_.phases * slabs_.channel;
    float* sums = state_.workspace.weightSums.data() + slab * tasks_.each;
    std::fill(sums, sums + tasks_.each, 0.0f);
    packPhases(state_, up_, slabs_, slab, synflow_, scratch.raw.data(), dy);
    packCorners(state_, batch_, up_, slabs_, slab, x);
    addProducts(slab, dy, x, sums, thread);
    const int end = slabs_.rowsIn(slab), atOnce = rowsAtOnce(slabs_);
    for (int from = 0; from < end; from += atOnce)
      for (int b = 0; b < turned_.blocks.count; b++)
        computeInputRows(slab, b, from, std::min(end, from + atOnce), dy, scratch.results.data(), thread);
  }

  // Adds a slab to the gradient of the composed weights.
  void addProducts(int slab, const float* dy, const float* x, float* sums, int thread) {
    const Slabs& s = slabs_;
    const int factors = tasks_.factors;
    const float** at = state_.workspace.scratch[thread].pointers.data();
    const ptrdiff_t length = s.rowsIn(slab) * s.row, run = WeightGradient::run(length);
    state_.meter.time(Pass::weightGradient, thread, [&] {
      for (ptrdiff_t i = 0; i < length; i += run)
        for (int phase = 0; phase < tasks_.phases; phase += kPlanePhases) {
          // On the first plane of corners only the phases after it (z of 0) belong to the slab, on the last plane only
          // those before it.
          const ptrdiff_t begin = s.origin + phase / kPlanePhases % 2 * s.plane + i;
          for (int f = 0; f < factors; f++)
            at[f] = x + f % tasks_.inputs * s.channel + begin + taps_.at[f / tasks_.inputs];
          state_.kernels.products(kPlanePhases, dy + phase * s.channel + begin, s.channel, at, factors,
                                  (int)std::min(run, length - i), sums + (size_t)phase * factors, factors);
        }
    });
  }

  // Computes packed rows [from, to) of the gradient of a block of coarse channels.
  void computeInputRows(int slab, int block, int from, int to, const float* dy, float* results, int thread) {
    state_.meter.time(Pass::inputGradient, thread, [&] {
      convolve(state_.kernels, turned_, slabs_, turnedTaps_, block, dy, slabs_.channel,
               state_.parameters.backward.data() + up_.packedWeight, from, to, results);
    });
    eachPiece(slabs_, slab, from, to, [&](const Piece& piece, ptrdiff_t offset) {
      for (int i = 0; i < turned_.blocks.width(block); i++) {
        const int c = turned_.blocks.first(block) + i;
        const size_t place = c * size_.voxels() + piece.at(size_);
        state_.kernels.unpack_gradient({piece.rows, size_.w, slabs_.row}, results + i * resultStride(slabs_) + offset,
                                       state_.volumes.at(from_.gradient, piece.n) + place,
                                       state_.volumes.at(from_.activation, piece.n) + place, state_.volumes.pastCaches,
                                       state_.workspace.slots.at(slabs_.slot(piece.n, piece.z), c));
      }
    });
  }

  State& state_;
  const Batch& batch_;
  const Up& up_;
  const bool synflow_;
  const Layer& from_;
  const Size size_;
  const ComposedTasks tasks_;
  const Slabs& slabs_;
  const Convolution turned_;  // from phases to coarse channels
  const Taps taps_, turnedTaps_;
};

}  // namespace

// Composes the weights and packs them for the kernels: forward (output, z of the phase, input, tap, the four phases of
// this z), backward as a convolution from phases to coarse channels.
void composeWeights(State& state, const Up& up, bool absolute, bool backward) {
  const Layer& layer = state.plan.layers[up.target];
  const Composition composition = compositionOf(up, layer);
  const float* w = state.parameters.weights.data();
  const std::vector<float> ups = upWeights(up, w, absolute), reader = readerWeights(up, layer, w, absolute);
  const int inputs = composition.inputs;
  Room room;
  room.composed = composition.composedFloats();
  state.workspace.reserve(room);
  float* composed = state.workspace.composed.data();
  float* forward = state.parameters.forward.data() + up.packedWeight;
  const auto weight = [&](int phase, int c, int tap) { return composed[((size_t)phase * 8 + tap) * inputs + c]; };
  state.threads.run(composition.outputs, [&](int o, int) {
    composition.compose(o, ups.data(), reader.data(), composed);
    float* to = forward + o * composition.composedInOutput();
    for (int first = 8 * o; first < 8 * o + 8; first += kPlanePhases)
      for (int c = 0; c < inputs; c++)
        for (int tap = 0; tap < 8; tap++)
          for (int phase = first; phase < first + kPlanePhases; phase++) *to++ = weight(phase, c, tap);
  });
  if (!backward) return;
  const Convolution back(state.kernels, 8, 8 * composition.outputs, up.inputs);
  back.packWeights(state.parameters.backward.data() + up.packedWeight,
                   [&](int c, int phase, int tap) { return weight(phase, c, tap); });
}

// Packs the coarse planes that a slab of fine planes needs: the channels of the layer below, then ones for the biases.
void packCorners(const State& state, const Batch& batch, const Up& up, const Slabs& s, int slab, float* packed) {
  const int end = s.casesIn(slab) * (s.planesIn(slab) + 1);
  for (int c = 0; c < up.inputs; c++, packed += s.channel)
    packSource(state, batch, {From::layer, up.source, up.inputs}, c, s, slab, -1, end, nullptr, packed);
  packChannel(state.kernels, s, slab, false, -1, end, nullptr, packed, [&](int, int, float* to) {
    std::fill_n(to, s.plane, 0.0f);
    for (int y = 0; y < s.size.h; y++) std::fill_n(to + y * s.row, s.size.w, 1.0f);
  });
}

// Adds the contribution of the coarse volume to a piece of an output, in the packed `results`. `phases` is scratch
// memory for corners.phasesFloats().
void addCorners(const State& state, const Corners& corners, int slab, int output, const Piece& piece,
                const float* packed, float* phases, float* results) {
  const Kernels& k = state.kernels;
  const Slabs& s = corners.coarse;
  const int first = (piece.y + 1) / 2, rows = (piece.y + piece.rows) / 2 + 1 - first;
  const int plane = (piece.n - s.firstCase(slab)) * (s.planes + 1) + (piece.z + 1) / 2 - s.firstPlane(slab);
  const int inputs = corners.up.inputs + 1;
  const float* weights = state.parameters.forward.data() + corners.up.packedWeight +
                         (size_t)(2 * output + piece.z % 2) * inputs * 8 * kPlanePhases;
  k.correlate(kPlanePhases, packed + s.origin + plane * s.plane + first * s.row, s.channel, inputs, corners.taps.at, 8,
              weights, false, phases, corners.stride, rows * (int)s.row);
  k.add_phases({piece.rows, corners.fine.size.w, corners.fine.row}, results, piece.y, phases, corners.stride, s.row);
}

void backwardComposed(State& state, const Batch& batch, const Up& up, bool synflow) {
  ComposedBackward(state, batch, up, synflow).run();
}

}  // namespace lunet
