// The backward pass. A layer's task packs the gradient before its ReLU (computed on load from the gradient at its
// output, see gradientCoefficients) and its input, and from the two computes its share of the weight gradient and
// the gradient of its input. That goes straight to where the input came from, with the sums that batch norm needs
// there.
//
// Batch norm and dropout, y = mask * (gamma * xhat + beta) with xhat = (a - mean) / sd over M values: with
// g = dLoss/dy,
//   dLoss/da = gamma/sd * (mask*g - mean of mask*g - xhat * mean of mask*g*xhat),
// which is a*g + b*activation + c with coefficients per case and channel. With running statistics mean and sd are
// constants, so only the first term is left. Then the ReLU: 0 where a is 0.
#include <cmath>
#include <cstring>

#include "network/network.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {
constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

// Where the gradient of an input channel goes, and the activation whose sums with it are wanted there.
struct Target {
  const Buffer* gradient;
  const Buffer* activation;
  int channel;
  const Up* up;  // for which the gradient is stored by position, or null
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
        // The gradient of a pooled layer is finished by `unpool`, which gathers the sums then.
        const Layer& from = plan.layers[source.layer];
        targets.push_back({&from.gradient, from.pooled ? nullptr : &from.activation, c, nullptr});
      }
    }
  return targets;
}

}  // namespace

void Network::gradientCoefficients(const Layer& layer, Mode mode) {
  const bool synflow = mode == Mode::synflow, batchStatistics = mode == Mode::training;
  const float* w = weights_.data();
  const double count = (double)batch_ * plan_->sizeAt(layer.level).voxels();
  for (int c = 0; c < layer.width; c++) {
    const int channel = layer.channelAt + c;
    const double mean = mean_[channel], inverse = 1 / std::sqrt(variance_[channel] + kEpsilon);
    double sum = 0, product = 0;  // of mask*g and mask*g*activation
    for (int n = 0; n < batch_; n++) {
      const size_t at = (size_t)n * plan_->channels + channel;
      sum += masks_[at] * gradientSum_[at];
      product += masks_[at] * gradientProduct_[at];
    }
    const double dBeta = sum, dGamma = inverse * (product - mean * sum);
    if (!synflow) {
      gradient_.data()[layer.normWeight + c] = (float)dGamma;
      gradient_.data()[layer.normBias + c] = (float)dBeta;
    }
    const double factor = w[layer.normWeight + c] * inverse;
    for (int n = 0; n < batch_; n++) {
      const size_t at = (size_t)n * plan_->channels + channel;
      a_[at] = synflow ? 1.0f : (float)(factor * masks_[at]);
      b_[at] = batchStatistics ? (float)(-factor * inverse * dGamma / count) : 0.0f;
      c_[at] = batchStatistics ? (float)(-factor * (dBeta - inverse * mean * dGamma) / count) : 0.0f;
    }
  }
}

// Adds the partial sums of all slabs, in their order, into a run of gradients.
void Network::sumPartials(const Slabs& s, size_t each, float* to) {
  constexpr size_t kChunk = 4096;
  threads_.run((int)((each + kChunk - 1) / kChunk), [&](int task, int) {
    const size_t end = std::min(each, (task + 1) * kChunk);
    for (size_t i = task * kChunk; i < end; i++) {
      double sum = 0;
      for (int slab = 0; slab < s.count; slab++) sum += partial_.data()[slab * each + i];
      to[i] = (float)sum;
    }
  });
}

// Packs a plane of the gradient before a layer's ReLU; `mixed` is room for a dense plane. Returns the sum.
double Network::packGradient(int index, int n, int channel, int z, Rows to, float* packed, float* mixed, bool synflow) {
  const Layer& layer = plan_->layers[index];
  const int plane = to.rows * to.width;
  const size_t at = (size_t)n * plan_->channels + layer.channelAt + channel;
  const size_t from = channel * plan_->sizeAt(layer.level).voxels() + (size_t)z * plane;
  const bool last = index + 1 == (int)plan_->layers.size();
  if (last) mixGradient(n, channel, (size_t)z * plane, plane, synflow, mixed);
  return k_.pack_gradient(to, packed, last ? mixed : volume(layer.gradient, n) + from,
                          volume(layer.activation, n) + from, a_[at], b_[at], c_[at], synflow ? -1.0f : 0.0f);
}

void Network::backwardLayer(const Batch& batch, int index, Mode mode) {
  const Layer& layer = plan_->layers[index];
  const bool synflow = mode == Mode::synflow;
  gradientCoefficients(layer, mode);
  const Size size = plan_->sizeAt(layer.level);
  const bool winograd = layer.winograd;
  const Convolution turned(k_, size, winograd, layer.width, layer.direct());
  const BackwardPass pass(*plan_, layer, batch_);
  const WeightGradient& products = pass.products;
  const Blocks &inputs = turned.blocks, &outputs = products.blocks;
  const size_t weights = products.floats(), each = pass.each;
  const Slabs& s = pass.slabs;
  reserve(pass.room);
  clearSlots(s.slots(), layer.direct());
  const Taps taps(s, !winograd, true);
  const size_t voxels = size.voxels(), plane = (size_t)size.h * size.w;
  const bool toImage = layer.sources[0].from == From::image;
  const int groups = std::min(s.groups, std::max(outputs.count, inputs.count)), atOnce = rowsAtOnce(s);
  const ptrdiff_t stride = resultStride(s);

  const std::vector<Target> targets = targetsOf(*plan_, layer);
  // Writes a run of rows of an input's gradient to its target.
  const auto unpack = [&](const Piece& piece, const float* packed, int input) {
    const Target& target = targets[input];
    const Rows rows{piece.rows, size.w, s.row};
    float* to = volume(*target.gradient, piece.n);
    if (target.up) {
      to += (8 * target.channel + piece.z % 2 * 4) * target.up->positionStride + piece.z / 2 * (plane / 4);
      k_.unpack_positions(rows, packed, piece.y, to, target.up->positionStride, pastCaches_);
    } else {
      const size_t at = target.channel * voxels + piece.at(size);
      const float* activation = target.activation ? volume(*target.activation, piece.n) + at : nullptr;
      k_.unpack_gradient(rows, packed, to + at, activation, pastCaches_,
                         slot(s.slot(piece.n, piece.z), layer.direct(), input));
    }
  };

  threads_.run(s.count * groups, [&](int task, int thread) {
    const int slab = task / groups, group = task % groups;
    float* dy = scratch_[thread].packed.data();
    float* x = dy + layer.width * s.gradientChannel;
    float* raw = scratch_[thread].raw.data();
    float* mixed = raw + 4 * s.plane;
    float* results = scratch_[thread].results.data();
    float* partial = partial_.data() + slab * each;
    const int planes = s.planesIn(slab), z0 = s.firstPlane(slab);
    const int firstBlock = outputs.count * group / groups, endBlock = outputs.count * (group + 1) / groups;
    products.clear(firstBlock, endBlock, partial);
    if (group == 0) std::fill(partial + weights, partial + each, 0.0f);

    eachWindow(s, slab, [&](int firstPlane, int endPlane, int firstRow, int endRow) {
      for (int o = 0; o < layer.width; o++) {
        double sum = 0;
        packChannel(k_, s, slab, true, firstPlane, endPlane, raw, dy + o * s.gradientChannel,
                    [&](int n, int z, float* to) {
                      const double ofPlane = packGradient(index, n, o, z, {size.h, size.w, s.row}, to, mixed, synflow);
                      if (z >= z0 && z < z0 + planes) sum += ofPlane;
                    });
        if (group == 0) partial[weights + o] += (float)sum;
      }
      packInputs(batch, layer, s, slab, firstPlane, endPlane, raw, x);

      const ptrdiff_t begin = firstRow * s.row, length = (endRow - firstRow) * s.row - 1;
      const ptrdiff_t run = WeightGradient::run(length);
      meter.time(Pass::weightGradient, thread, [&] {
        for (ptrdiff_t i = 0; i < length; i += run)
          for (int b = firstBlock; b < endBlock; b++)
            products.add(k_, s, b, dy, x, begin + i, (int)std::min(run, length - i), scratch_[thread].pointers.data(),
                         partial);
      });
      if (toImage) return;

      for (int from = firstRow; from < endRow; from += atOnce) {
        const int to = std::min(endRow, from + atOnce);
        for (int b = inputs.count * group / groups; b < inputs.count * (group + 1) / groups; b++) {
          const int first = inputs.first(b), width = inputs.width(b);
          meter.time(Pass::inputGradient, thread, [&] {
            convolve(k_, turned, s, taps, b, dy, s.gradientChannel, backwardWeights_.data() + layer.packedWeight, from,
                     to, results);
          });
          eachPiece(s, slab, from, to, [&](const Piece& piece, ptrdiff_t at) {
            for (int c = 0; c < width; c++) unpack(piece, results + c * stride + at, first + c);
          });
        }
      }
    });
  });

  count(Pass::weightGradient, layer);
  if (!toImage) count(Pass::inputGradient, layer);
  float* gradient = gradient_.data() + layer.weight + (size_t)layer.firstDirect * 27;
  sumPartials(s, each, partial_.data());
  threads_.run(outputs.count,
               [&](int b, int) { products.finish(b, partial_.data(), gradient, (size_t)layer.inputs * 27); });
  std::memcpy(gradient_.data() + layer.bias, partial_.data() + weights, layer.width * sizeof(float));
  const Source& source = layer.sources[0];
  if (source.from == From::layer)
    sumSlots(s.perCase, layer.direct(), plan_->layers[source.layer].channelAt, gradientSum_, gradientProduct_);
}

// Adds the gradient of a layer's pooled output to what its skip connection brought.
void Network::unpool(int index) {
  const Layer& reader = plan_->layers[index];
  const Layer& layer = plan_->layers[reader.sources[0].layer];
  const Size fine = plan_->sizeAt(layer.level), coarse = fine.halved();
  Slabs s;  // only to number the runs of planes that cases are cut into
  s.size = coarse;
  s.batch = batch_;
  s.planes = (coarse.d + 7) / 8;
  s.perCase = (coarse.d + s.planes - 1) / s.planes;
  clearSlots(s.slots(), layer.width);
  const ptrdiff_t row = fine.w, plane = (ptrdiff_t)fine.h * fine.w;
  const ptrdiff_t rows[4] = {0, row, plane, plane + row};
  const bool fresh = !shape_.skips;
  threads_.run(s.slots(), [&](int task, int) {
    const int n = task / s.perCase, from = task % s.perCase * s.planes, to = std::min(coarse.d, from + s.planes);
    for (int c = 0; c < layer.width; c++) {
      const float* pooled = volume(reader.pooledGradient, n) + c * coarse.voxels();
      const float* activation = volume(layer.activation, n) + c * fine.voxels();
      float* gradient = volume(layer.gradient, n) + c * fine.voxels();
      const bool positive = scale_[(size_t)n * plan_->channels + layer.channelAt + c] >= 0;
      for (int z = from; z < to; z++)
        for (int y = 0; y < coarse.h; y++) {
          const ptrdiff_t at = 2 * z * plane + 2 * y * row;
          k_.unpool_row(coarse.w, pooled + ((size_t)z * coarse.h + y) * coarse.w, activation + at, gradient + at, rows,
                        positive, fresh, slot(task, layer.width, c));
        }
    }
  });
  sumSlots(s.perCase, layer.width, layer.channelAt, gradientSum_, gradientProduct_);
}

void Network::backward(const Batch& batch, Mode mode) {
  const bool synflow = mode == Mode::synflow;
  std::memset(gradient_.data(), 0, gradient_.size() * sizeof(float));
  headBackward(synflow);
  for (int i = (int)plan_->layers.size() - 1; i >= 0; i--) {
    const Layer& layer = plan_->layers[i];
    backwardLayer(batch, i, mode);
    if (layer.up >= 0) {
      const Up& up = plan_->ups[layer.up];
      up.composed ? backwardComposed(batch, up, synflow) : backwardUp(up);
    }
    if (layer.sources[0].from == From::pooled) unpool(i);
  }
}

// Running statistics (momentum 0.1, unbiased variance, as in PyTorch) and Adam.
void Network::update(float learningRate) {
  float* w = weights_.data();
  for (const Layer& layer : plan_->layers) {
    const double count = (double)batch_ * plan_->sizeAt(layer.level).voxels();
    const double unbiased = count > 1 ? count / (count - 1) : 1;
    for (int c = 0; c < layer.width; c++) {
      float& mean = w[layer.mean + c];
      float& variance = w[layer.variance + c];
      mean = (float)((1 - kMomentum) * mean + kMomentum * mean_[layer.channelAt + c]);
      variance = (float)((1 - kMomentum) * variance + kMomentum * unbiased * variance_[layer.channelAt + c]);
    }
  }
  stepCount++;
  const float rate = (float)(learningRate / (1 - std::pow((double)beta1_, stepCount)));
  const float correction = (float)(1 / std::sqrt(1 - std::pow((double)beta2_, stepCount)));
  k_.adam(plan_->parameters, w, gradient_.data(), m_.data(), v_.data(), rate, beta1_, beta2_, correction, epsilon_);
}

}  // namespace lunet
