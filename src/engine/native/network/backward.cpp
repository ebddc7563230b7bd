// The backward pass. A task of a layer packs the gradient before the ReLU (computed on load from the gradient at the
// output, see gradientCoefficients) and the input of the layer. From both it computes its share of the weight gradient,
// and the gradient of the input. It writes the input gradient directly to the source of the input, and computes the
// sums that the batch norm of the source needs.
//
// Batch norm and dropout, y = mask * (gamma * xhat + beta) with xhat = (a - mean) / sd over M values: with
// g = dLoss/dy,
//   dLoss/da = gamma/sd * (mask*g - mean of mask*g - xhat * mean of mask*g*xhat),
// which is a*g + b*activation + c with coefficients per case and channel. With running statistics mean and sd are
// constants, so only the first term is left. Then the ReLU: the gradient is 0 where a is 0.
#include <cmath>
#include <cstring>

#include "network/passes.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {
constexpr double kMomentum = 0.1;

// The destination of the gradient of an input channel, and the activation for its sums.
struct Target {
  const Buffer* gradient;
  const Buffer* activation;
  int channel;
  const Up* up;  // the up-convolution, whose gradient is stored by position, or null
};

// The targets of all inputs that are not composed.
std::vector<Target> targetsOf(const Plan& plan, const Layer& layer) {
  std::vector<Target> targets;
  for (const Source& source : layer.sources)
    for (int c = 0; c < source.channels; c++) {
      if (source.from == From::up) {
        const Up& up = plan.ups[source.layer];
        targets.push_back({&up.gradient, nullptr, c, &up});
      }
      if (source.from == From::pooled) targets.push_back({&layer.pooledGradient, nullptr, c, nullptr});
      if (source.from == From::layer) {
        // `unpool` finishes the gradient of a pooled layer and computes the sums.
        const Layer& from = plan.layers[source.layer];
        targets.push_back({&from.gradient, from.pooled ? nullptr : &from.activation, c, nullptr});
      }
    }
  return targets;
}

// Computes the coefficients a, b and c, and the gradient of the batch norm weights, from the sums of the gradient of a
// layer over the `voxels` of the whole batch. `weights` and `gradient` are flat lists of tensors.
void gradientCoefficients(const Layer& layer, int batch, double voxels, const float* weights, Mode mode,
                          Channels& channels, float* gradient) {
  const bool synflow = mode == Mode::synflow, batchStatistics = mode == Mode::training;
  for (int c = 0; c < layer.width; c++) {
    const int channel = layer.channelAt + c;
    const double mean = channels.mean[channel], inverse = 1 / std::sqrt(channels.variance[channel] + kNormEpsilon);
    double sum = 0, product = 0;  // of mask*g and mask*g*activation
    for (int n = 0; n < batch; n++) {
      const size_t at = channels.at(n, channel);
      sum += channels.masks[at] * channels.gradientSum[at];
      product += channels.masks[at] * channels.gradientProduct[at];
    }
    const double dBeta = sum, dGamma = inverse * (product - mean * sum);
    if (!synflow) {
      gradient[layer.normWeight + c] = (float)dGamma;
      gradient[layer.normBias + c] = (float)dBeta;
    }
    const double factor = weights[layer.normWeight + c] * inverse;
    for (int n = 0; n < batch; n++) {
      const size_t at = channels.at(n, channel);
      channels.a[at] = synflow ? 1.0f : (float)(factor * channels.masks[at]);
      channels.b[at] = batchStatistics ? (float)(-factor * inverse * dGamma / voxels) : 0.0f;
      channels.c[at] = batchStatistics ? (float)(-factor * (dBeta - inverse * mean * dGamma) / voxels) : 0.0f;
    }
  }
}

// The backward pass of a layer. A task computes, for a slab, a group of output blocks of the weight gradient and a
// group of input blocks of the input gradient.
class LayerBackward {
 public:
  LayerBackward(State& state, const Batch& batch, int index, bool synflow)
      : state_(state),
        batch_(batch),
        index_(index),
        layer_(state.plan.layers[index]),
        synflow_(synflow),
        size_(state.plan.sizeAt(layer_.level)),
        turned_(state.kernels, size_, layer_.winograd, layer_.width, layer_.direct()),
        tasks_(state.plan, layer_, state.volumes.batch),
        products_(tasks_.products),
        slabs_(tasks_.slabs),
        taps_(slabs_, !layer_.winograd, true),
        groups_(std::min(slabs_.groups, std::max(products_.blocks.count, turned_.blocks.count))),
        toImage_(layer_.sources[0].from == From::image),
        targets_(targetsOf(state.plan, layer_)) {}

  void run() {
    state_.workspace.reserve(tasks_.room);
    state_.workspace.slots.clear(slabs_.slots(), layer_.direct());
    state_.threads.run(slabs_.count * groups_,
                       [&](int task, int thread) { computeGroup(task / groups_, task % groups_, thread); });
    countMultiplyAdds(state_, Pass::weightGradient, layer_);
    if (!toImage_) countMultiplyAdds(state_, Pass::inputGradient, layer_);
    finishWeights();
    const Source& source = layer_.sources[0];
    Channels& channels = state_.channels;
    if (source.from == From::layer)
      state_.workspace.slots.addUp(state_.volumes.batch, slabs_.perCase, channels,
                                   state_.plan.layers[source.layer].channelAt, channels.gradientSum,
                                   channels.gradientProduct);
  }

 private:
  // Pointers into the scratch memory of a thread: packed gradient before the ReLU, packed inputs, raw planes and
  // results of a slab; and the sums of a task: weights, then biases.
  struct Places {
    float *dy, *x, *raw, *results, *sums;
  };

  void computeGroup(int slab, int group, int thread) {
    Scratch& scratch = state_.workspace.scratch[thread];
    float* dy = scratch.packed.data();
    const Places places{dy, dy + layer_.width * slabs_.gradientChannel, scratch.raw.data(), scratch.results.data(),
                        state_.workspace.weightSums.data() + slab * tasks_.each};
    const int outputs = products_.blocks.count, inputs = turned_.blocks.count, atOnce = rowsAtOnce(slabs_);
    const int firstOutput = outputs * group / groups_, endOutput = outputs * (group + 1) / groups_;
    const int firstInput = inputs * group / groups_, endInput = inputs * (group + 1) / groups_;
    products_.clear(firstOutput, endOutput, places.sums);
    if (group == 0) std::fill(places.sums + products_.floats(), places.sums + tasks_.each, 0.0f);

    eachWindow(slabs_, slab, [&](int firstPlane, int endPlane, int firstRow, int endRow) {
      packGradients(slab, firstPlane, endPlane, places, group == 0);
      packInputs(state_, batch_, layer_, slabs_, slab, firstPlane, endPlane, places.raw, places.x);
      addProducts(firstOutput, endOutput, firstRow, endRow, places, thread);
      if (toImage_) return;
      for (int from = firstRow; from < endRow; from += atOnce)
        for (int b = firstInput; b < endInput; b++)
          computeInputRows(slab, b, from, std::min(endRow, from + atOnce), places, thread);
    });
  }

  // Packs a window of the gradient; with `sumUp`, adds its sums, which are the gradient of the biases.
  void packGradients(int slab, int firstPlane, int endPlane, const Places& places, bool sumUp) {
    const int z0 = slabs_.firstPlane(slab), z1 = z0 + slabs_.planesIn(slab);
    const Rows rows{size_.h, size_.w, slabs_.row};
    float* mixed = places.raw + kRawPlanes * slabs_.plane;
    for (int o = 0; o < layer_.width; o++) {
      double sum = 0;
      packChannel(state_.kernels, slabs_, slab, true, firstPlane, endPlane, places.raw,
                  places.dy + o * slabs_.gradientChannel, [&](int n, int z, float* to) {
                    const double ofPlane = packGradient(state_, index_, n, o, z, rows, to, mixed, synflow_);
                    if (z >= z0 && z < z1) sum += ofPlane;
                  });
      if (sumUp) places.sums[products_.floats() + o] += (float)sum;
    }
  }

  // Adds packed rows [firstRow, endRow) to the weight gradient of blocks [firstBlock, endBlock) of outputs.
  void addProducts(int firstBlock, int endBlock, int firstRow, int endRow, const Places& places, int thread) {
    const ptrdiff_t begin = firstRow * slabs_.row, length = (endRow - firstRow) * slabs_.row - 1;
    const ptrdiff_t run = WeightGradient::run(length);
    const float** pointers = state_.workspace.scratch[thread].pointers.data();
    state_.meter.time(Pass::weightGradient, thread, [&] {
      for (ptrdiff_t i = 0; i < length; i += run)
        for (int b = firstBlock; b < endBlock; b++)
          products_.add(state_.kernels, slabs_, b, places.dy, places.x, begin + i, (int)std::min(run, length - i),
                        pointers, places.sums);
    });
  }

  // Computes packed rows [from, to) of the gradient of a block of inputs.
  void computeInputRows(int slab, int block, int from, int to, const Places& places, int thread) {
    const Blocks& blocks = turned_.blocks;
    state_.meter.time(Pass::inputGradient, thread, [&] {
      convolve(state_.kernels, turned_, slabs_, taps_, block, places.dy, slabs_.gradientChannel,
               state_.parameters.backward.data() + layer_.packedWeight, from, to, places.results);
    });
    eachPiece(slabs_, slab, from, to, [&](const Piece& piece, ptrdiff_t at) {
      for (int c = 0; c < blocks.width(block); c++)
        storeInputGradient(piece, places.results + c * resultStride(slabs_) + at, blocks.first(block) + c);
    });
  }

  // Writes a piece of the gradient of an input to its target.
  void storeInputGradient(const Piece& piece, const float* packed, int input) {
    const Target& target = targets_[input];
    const Rows rows{piece.rows, size_.w, slabs_.row};
    float* to = state_.volumes.at(*target.gradient, piece.n);
    const bool past = state_.volumes.pastCaches;
    if (target.up) {
      const ptrdiff_t stride = target.up->positionStride, plane = (ptrdiff_t)size_.h * size_.w;
      to += (8 * target.channel + piece.z % 2 * 4) * stride + piece.z / 2 * (plane / 4);
      state_.kernels.unpack_positions(rows, packed, piece.y, to, stride, past);
    } else {
      const size_t at = target.channel * size_.voxels() + piece.at(size_);
      const float* activation = target.activation ? state_.volumes.at(*target.activation, piece.n) + at : nullptr;
      state_.kernels.unpack_gradient(rows, packed, to + at, activation, past,
                                     state_.workspace.slots.at(slabs_.slot(piece.n, piece.z), input));
    }
  }

  // Computes the gradient of weights and biases from the sums of all slabs.
  void finishWeights() {
    float* sums = state_.workspace.weightSums.data();
    addWeightSums(state_, slabs_.count, tasks_.each, sums);
    float* gradient = state_.parameters.gradient.data();
    float* direct = gradient + layer_.weight + (size_t)layer_.firstDirect * 27;
    state_.threads.run(products_.blocks.count,
                       [&](int b, int) { products_.finish(b, sums, direct, (size_t)layer_.inputs * 27); });
    std::memcpy(gradient + layer_.bias, sums + products_.floats(), layer_.width * sizeof(float));
  }

  State& state_;
  const Batch& batch_;
  const int index_;
  const Layer& layer_;
  const bool synflow_;
  const Size size_;
  const Convolution turned_;
  const BackwardTasks tasks_;
  const WeightGradient& products_;
  const Slabs& slabs_;
  const Taps taps_;
  const int groups_;
  const bool toImage_;
  const std::vector<Target> targets_;
};

// Adds the gradient of the pooled output of a layer to that of its skip connection.
void unpool(State& state, int index) {
  const Plan& plan = state.plan;
  const Kernels& k = state.kernels;
  Channels& channels = state.channels;
  SlotSums& sums = state.workspace.slots;
  const Layer& reader = plan.layers[index];
  const Layer& layer = plan.layers[reader.sources[0].layer];
  const Size fine = plan.sizeAt(layer.level), coarse = fine.halved();
  Slabs s;  // only to number the slots
  s.size = coarse;
  s.batch = state.volumes.batch;
  s.planes = (coarse.d + 7) / 8;
  s.perCase = (coarse.d + s.planes - 1) / s.planes;
  sums.clear(s.slots(), layer.width);
  const ptrdiff_t row = fine.w, plane = (ptrdiff_t)fine.h * fine.w;
  const ptrdiff_t rows[4] = {0, row, plane, plane + row};
  const bool fresh = !plan.shape.skips;
  state.threads.run(s.slots(), [&](int task, int) {
    const int n = task / s.perCase, from = task % s.perCase * s.planes, to = std::min(coarse.d, from + s.planes);
    for (int c = 0; c < layer.width; c++) {
      const float* pooled = state.volumes.at(reader.pooledGradient, n) + c * coarse.voxels();
      const float* activation = state.volumes.at(layer.activation, n) + c * fine.voxels();
      float* gradient = state.volumes.at(layer.gradient, n) + c * fine.voxels();
      const bool positive = channels.scale[channels.at(n, layer.channelAt + c)] >= 0;
      for (int z = from; z < to; z++)
        for (int y = 0; y < coarse.h; y++) {
          const ptrdiff_t at = 2 * z * plane + 2 * y * row;
          k.unpool_row(coarse.w, pooled + ((size_t)z * coarse.h + y) * coarse.w, activation + at, gradient + at, rows,
                       positive, fresh, sums.at(task, c));
        }
    }
  });
  sums.addUp(s.batch, s.perCase, channels, layer.channelAt, channels.gradientSum, channels.gradientProduct);
}

}  // namespace

void addWeightSums(State& state, int tasks, size_t each, float* to) {
  constexpr size_t kChunk = 4096;
  const float* sums = state.workspace.weightSums.data();
  state.threads.run((int)((each + kChunk - 1) / kChunk), [&](int chunk, int) {
    const size_t end = std::min(each, (chunk + 1) * kChunk);
    for (size_t i = chunk * kChunk; i < end; i++) {
      double sum = 0;
      for (int task = 0; task < tasks; task++) sum += sums[task * each + i];
      to[i] = (float)sum;
    }
  });
}

double packGradient(const State& state, int index, int n, int channel, int z, Rows to, float* packed, float* mixed,
                    bool synflow) {
  const Plan& plan = state.plan;
  const Layer& layer = plan.layers[index];
  const int plane = to.rows * to.width;
  const size_t at = state.channels.at(n, layer.channelAt + channel);
  const size_t from = channel * plan.sizeAt(layer.level).voxels() + (size_t)z * plane;
  const bool last = index + 1 == (int)plan.layers.size();
  if (last) mixGradient(state, n, channel, (size_t)z * plane, plane, synflow, mixed);
  return state.kernels.pack_gradient(to, packed, last ? mixed : state.volumes.at(layer.gradient, n) + from,
                                     state.volumes.at(layer.activation, n) + from, state.channels.a[at],
                                     state.channels.b[at], state.channels.c[at], synflow ? -1.0f : 0.0f);
}

void backward(State& state, const Batch& batch, Mode mode) {
  const Plan& plan = state.plan;
  Floats& gradient = state.parameters.gradient;
  const bool synflow = mode == Mode::synflow;
  std::memset(gradient.data(), 0, gradient.size() * sizeof(float));
  headBackward(state, synflow);
  for (int i = (int)plan.layers.size() - 1; i >= 0; i--) {
    const Layer& layer = plan.layers[i];
    const double voxels = (double)batch.size() * plan.sizeAt(layer.level).voxels();
    gradientCoefficients(layer, batch.size(), voxels, state.parameters.weights.data(), mode, state.channels,
                         gradient.data());
    LayerBackward(state, batch, i, synflow).run();
    if (layer.up >= 0) {
      const Up& up = plan.ups[layer.up];
      up.composed ? backwardComposed(state, batch, up, synflow) : backwardUp(state, up);
    }
    if (layer.sources[0].from == From::pooled) unpool(state, i);
  }
}

void update(State& state, float learningRate) {
  const Plan& plan = state.plan;
  Parameters& p = state.parameters;
  float* w = p.weights.data();
  for (const Layer& layer : plan.layers) {
    const double count = (double)state.volumes.batch * plan.sizeAt(layer.level).voxels();
    const double unbiased = count > 1 ? count / (count - 1) : 1;
    for (int c = 0; c < layer.width; c++) {
      float& mean = w[layer.mean + c];
      float& variance = w[layer.variance + c];
      mean = (float)((1 - kMomentum) * mean + kMomentum * state.channels.mean[layer.channelAt + c]);
      variance =
          (float)((1 - kMomentum) * variance + kMomentum * unbiased * state.channels.variance[layer.channelAt + c]);
    }
  }
  p.steps++;
  const float rate = (float)(learningRate / (1 - std::pow((double)p.beta1, p.steps)));
  const float correction = (float)(1 / std::sqrt(1 - std::pow((double)p.beta2, p.steps)));
  state.kernels.adam(plan.parameters, w, p.gradient.data(), p.m.data(), p.v.data(), rate, p.beta1, p.beta2, correction,
                     p.epsilon);
}

}  // namespace lunet
