// The forward pass: every layer packs its input slab by slab, convolves it and stores its activation after the ReLU,
// with the sums that batch norm needs. Batch norm and dropout are a scale and a shift, which the packing of the next
// layer applies. Max pooling, up-convolution and concatenation are also done by packing, so none of these has a
// separate pass. An up-convolution may instead be composed with the convolution after it (see up/composition.h).
#include <cmath>

#include "network/passes.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {

// The forward pass of a layer. A task computes a group of output channels of a slab.
class LayerForward {
 public:
  LayerForward(State& state, const Batch& batch, const Layer& layer, bool absolute)
      : state_(state),
        batch_(batch),
        layer_(layer),
        absolute_(absolute),
        size_(state.plan.sizeAt(layer.level)),
        convolution_(state.kernels, size_, layer.winograd, layer.direct(), layer.width),
        tasks_(state.plan, layer, state.volumes.batch),
        slabs_(tasks_.slabs),
        taps_(slabs_, !layer.winograd, true),
        groups_(std::min(slabs_.groups, convolution_.blocks.count)) {}

  void run() {
    state_.workspace.reserve(tasks_.room);
    state_.workspace.slots.clear(slabs_.slots(), layer_.width);
    state_.threads.run(slabs_.count * groups_,
                       [&](int task, int thread) { computeGroup(task / groups_, task % groups_, thread); });
    countMultiplyAdds(state_, Pass::forward, layer_);
    Channels& channels = state_.channels;
    state_.workspace.slots.addUp(state_.volumes.batch, slabs_.perCase, channels, layer_.channelAt, channels.sum,
                                 channels.squares);
  }

 private:
  // Pointers into the scratch memory of a thread: packed inputs of a slab, packed inputs of its coarse volume, results.
  struct Places {
    float *packed, *coarse, *results, *phases;
  };

  void computeGroup(int slab, int group, int thread) {
    Scratch& scratch = state_.workspace.scratch[thread];
    float *packed = scratch.packed.data(), *results = scratch.results.data();
    const Places places{packed, packed + slabs_.channel * layer_.direct(), results, results + resultFloats(slabs_)};
    const int blocks = convolution_.blocks.count, firstBlock = blocks * group / groups_,
              endBlock = blocks * (group + 1) / groups_, atOnce = rowsAtOnce(slabs_);
    if (tasks_.corners) packCorners(state_, batch_, tasks_.corners->up, tasks_.corners->coarse, slab, places.coarse);
    eachWindow(slabs_, slab, [&](int first, int end, int firstRow, int endRow) {
      packInputs(state_, batch_, layer_, slabs_, slab, first, end, scratch.raw.data(), packed);
      for (int from = firstRow; from < endRow; from += atOnce)
        for (int b = firstBlock; b < endBlock; b++)
          computeRows(slab, b, from, std::min(endRow, from + atOnce), places, thread);
    });
  }

  // Computes packed rows [from, to) of a block of outputs.
  void computeRows(int slab, int block, int from, int to, const Places& places, int thread) {
    const Blocks& blocks = convolution_.blocks;
    state_.meter.time(Pass::forward, thread, [&] {
      convolve(state_.kernels, convolution_, slabs_, taps_, block, places.packed, slabs_.channel,
               state_.parameters.forward.data() + layer_.packedWeight, from, to, places.results);
    });
    const ptrdiff_t stride = resultStride(slabs_);
    eachPiece(slabs_, slab, from, to, [&](const Piece& piece, ptrdiff_t at) {
      for (int o = 0; o < blocks.width(block); o++) {
        const int channel = blocks.first(block) + o;
        float* results = places.results + o * stride + at;
        if (tasks_.corners)
          state_.meter.time(Pass::forward, thread, [&] {
            addCorners(state_, *tasks_.corners, slab, channel, piece, places.coarse, places.phases, results);
          });
        storeActivation(piece, channel, results);
      }
    });
  }

  void storeActivation(const Piece& piece, int channel, const float* results) {
    const float bias = weightIn(absolute_, state_.parameters.weights.data()[layer_.bias + channel]);
    float* out = state_.volumes.at(layer_.activation, piece.n) + channel * size_.voxels() + piece.at(size_);
    state_.kernels.unpack_relu({piece.rows, size_.w, slabs_.row}, results, bias, out, state_.volumes.pastCaches,
                               state_.workspace.slots.at(slabs_.slot(piece.n, piece.z), channel));
  }

  State& state_;
  const Batch& batch_;
  const Layer& layer_;
  const bool absolute_;
  const Size size_;
  const Convolution convolution_;
  const ForwardTasks tasks_;
  const Slabs& slabs_;
  const Taps taps_;
  const int groups_;
};

// Packs the weights of the convolutions for the kernels: for the forward pass and, flipped, for the backward pass.
void packWeights(State& state, bool absolute, bool backward) {
  const Plan& plan = state.plan;
  const Kernels& k = state.kernels;
  Parameters& parameters = state.parameters;
  const auto value = [=, w = parameters.weights.data()](size_t at) { return weightIn(absolute, w[at]); };
  state.threads.run((int)plan.layers.size(), [&](int task, int) {
    const Layer& layer = plan.layers[task];
    const Size size = plan.sizeAt(layer.level);
    const size_t direct = layer.weight + (size_t)layer.firstDirect * 27;
    Convolution(k, size, layer.winograd, layer.direct(), layer.width)
        .packWeights(parameters.forward.data() + layer.packedWeight,
                     [&](int o, int c, int t) { return value(direct + ((size_t)o * layer.inputs + c) * 27 + t); });
    if (!backward) return;
    Convolution(k, size, layer.winograd, layer.width, layer.direct())
        .packWeights(parameters.backward.data() + layer.packedWeight,
                     [&](int o, int c, int t) { return value(direct + ((size_t)c * layer.inputs + o) * 27 + 26 - t); });
  });
  for (const Up& up : plan.ups) {
    if (up.composed) composeWeights(state, up, absolute, backward);
    if (up.composed || !backward) continue;
    Convolution(k, 1, 8 * up.outputs, up.inputs)
        .packWeights(parameters.backward.data() + up.packedWeight, [&](int c, int position, int) {
          return value(up.weight + (size_t)c * 8 * up.outputs + position);
        });
  }
}

// Computes the scale and shift of batch norm and dropout from the sums of the activation of a layer over the `voxels`
// of the whole batch.
void normalise(const Layer& layer, int batch, double voxels, const float* weights, const float* masks, Mode mode,
               Channels& channels) {
  for (int c = 0; c < layer.width; c++) {
    const int channel = layer.channelAt + c;
    double mean = weights[layer.mean + c], variance = weights[layer.variance + c];
    if (mode == Mode::training || mode == Mode::statistics) {
      double sum = 0, squares = 0;
      for (int n = 0; n < batch; n++) {
        sum += channels.sum[channels.at(n, channel)];
        squares += channels.squares[channels.at(n, channel)];
      }
      mean = sum / voxels;
      variance = squares / voxels - mean * mean;
      if (variance < 0) variance = 0;  // keeps NaN
    }
    channels.mean[channel] = mean;
    channels.variance[channel] = variance;
    const double scale = weights[layer.normWeight + c] / std::sqrt(variance + kNormEpsilon);
    const double shift = weights[layer.normBias + c] - mean * scale;
    for (int n = 0; n < batch; n++) {
      const size_t at = channels.at(n, channel);
      const float mask = mode == Mode::training && masks ? masks[at] : 1.0f;
      channels.masks[at] = mask;
      channels.scale[at] = mode == Mode::synflow ? 1.0f : (float)(scale * mask);
      channels.shift[at] = mode == Mode::synflow ? 0.0f : (float)(shift * mask);
    }
  }
}

}  // namespace

void packSource(const State& state, const Batch& batch, const Source& source, int channel, const Slabs& s, int slab,
                int first, int end, float* raw, float* packed) {
  const Plan& plan = state.plan;
  const Kernels& k = state.kernels;
  const Size size = s.size;
  const size_t plane = (size_t)size.h * size.w;
  const Rows rows{size.h, size.w, s.row};
  packChannel(k, s, slab, false, first, end, raw, packed, [&](int n, int z, float* to) {
    if (source.from == From::image)
      return k.pack_affine(rows, to, batch.images[n] + channel * size.voxels() + z * plane, 1, 0);
    if (source.from == From::up) {
      const Up& up = plan.ups[source.layer];
      const float* coarse = state.volumes.at(plan.layers[up.source].activation, n) + z / 2 * (plane / 4);
      const float* w =
          state.parameters.foldedUps[source.layer].data() + ((size_t)n * up.outputs + channel) * foldedFloats(up);
      return k.pack_up(rows, to, up.inputs, coarse, size.voxels() / 8, w + z % 2 * foldedFloats(up) / 2);
    }
    const Layer& layer = plan.layers[source.layer];
    const size_t at = state.channels.at(n, layer.channelAt + channel);
    const float scale = state.channels.scale[at], shift = state.channels.shift[at];
    const float* from = state.volumes.at(layer.activation, n);
    if (source.from == From::pooled)
      k.pack_pooled(rows, to, from + 8 * (channel * size.voxels() + z * plane), 4 * plane, scale, shift);
    else
      k.pack_affine(rows, to, from + channel * size.voxels() + z * plane, scale, shift);
  });
}

void packInputs(const State& state, const Batch& batch, const Layer& layer, const Slabs& s, int slab, int first,
                int end, float* raw, float* packed) {
  for (const Source& source : layer.sources)
    if (source.from != From::composed)
      for (int c = 0; c < source.channels; c++, packed += s.channel)
        packSource(state, batch, source, c, s, slab, first, end, raw, packed);
}

void countMultiplyAdds(State& state, Pass pass, const Layer& layer) {
  const Size size = state.plan.sizeAt(layer.level);
  const double inPlane = (double)size.h * size.w * layer.width * state.volumes.batch;
  double& total = state.meter.multiplyAdds[(int)pass];
  total += inPlane * layer.direct() * (layer.winograd ? (double)kWinogradWeights * ((size.d + 1) / 2) : 27.0 * size.d);
  if (!layer.isComposed()) return;
  const int coarse = state.plan.ups[layer.up].inputs + (pass == Pass::inputGradient ? 0 : 1);
  total += inPlane * size.d * 8 * coarse;
}

void forward(State& state, const Batch& batch, const float* masks, Mode mode, bool backward) {
  const Plan& plan = state.plan;
  const bool absolute = mode == Mode::synflow;
  packWeights(state, absolute, backward);
  for (const Layer& layer : plan.layers) {
    if (layer.up >= 0 && !layer.isComposed()) foldUp(state, plan.ups[layer.up], absolute);
    LayerForward(state, batch, layer, absolute).run();
    const double voxels = (double)batch.size() * plan.sizeAt(layer.level).voxels();
    normalise(layer, batch.size(), voxels, state.parameters.weights.data(), masks, mode, state.channels);
  }
}

}  // namespace lunet
