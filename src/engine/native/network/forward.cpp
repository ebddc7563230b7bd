// The forward pass: every layer packs its input slab by slab, convolves it and stores its activation after the ReLU,
// with the sums that batch norm needs. Batch norm and dropout are a scale and a shift that the next layer's packing
// applies, max pooling, up-convolution and concatenation are ways of packing, so none of them has a pass of its own; or
// an up-convolution is composed with the convolution behind it (see up_composition.h).
#include <cmath>

#include "network/network.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {
constexpr double kEpsilon = 1e-5;
}

void Network::packSource(const Batch& batch, const Source& source, int channel, const Slabs& s, int slab, int first,
                         int end, float* raw, float* packed) const {
  const Size size = s.size;
  const size_t plane = (size_t)size.h * size.w;
  const Rows rows{size.h, size.w, s.row};
  packChannel(k_, s, slab, false, first, end, raw, packed, [&](int n, int z, float* to) {
    if (source.from == From::image)
      return k_.pack_affine(rows, to, batch.images[n] + channel * size.voxels() + z * plane, 1, 0);
    if (source.from == From::up) {
      const Up& up = plan_->ups[source.layer];
      const float* coarse = volume(plan_->layers[up.source].activation, n) + z / 2 * (plane / 4);
      const float* w = foldedUps_[source.layer].data() + ((size_t)n * up.outputs + channel) * foldedFloats(up);
      return k_.pack_up(rows, to, up.inputs, coarse, size.voxels() / 8, w + z % 2 * foldedFloats(up) / 2);
    }
    const Layer& layer = plan_->layers[source.layer];
    const size_t at = (size_t)n * plan_->channels + layer.channelAt + channel;
    const float* from = volume(layer.activation, n);
    if (source.from == From::pooled)
      k_.pack_pooled(rows, to, from + 8 * (channel * size.voxels() + z * plane), 4 * plane, scale_[at], shift_[at]);
    else
      k_.pack_affine(rows, to, from + channel * size.voxels() + z * plane, scale_[at], shift_[at]);
  });
}

void Network::packInputs(const Batch& batch, const Layer& layer, const Slabs& s, int slab, int first, int end,
                         float* raw, float* packed) const {
  for (const Source& source : layer.sources)
    if (source.from != From::composed)
      for (int c = 0; c < source.channels; c++, packed += s.channel)
        packSource(batch, source, c, s, slab, first, end, raw, packed);
}

// Counts the multiply-adds of one of a layer's convolutions.
void Network::count(Pass pass, const Layer& layer) {
  const Size size = plan_->sizeAt(layer.level);
  const double inPlane = (double)size.h * size.w * layer.width * batch_;
  meter.multiplyAdds[(int)pass] +=
      inPlane * layer.direct() * (layer.winograd ? 36.0 * ((size.d + 1) / 2) : 27.0 * size.d);
  if (!layer.isComposed()) return;
  const int coarse = plan_->ups[layer.up].inputs + (pass == Pass::inputGradient ? 0 : 1);
  meter.multiplyAdds[(int)pass] += inPlane * size.d * 8 * coarse;
}

void Network::forwardLayer(const Batch& batch, const Layer& layer, bool absolute) {
  const Size size = plan_->sizeAt(layer.level);
  const bool winograd = layer.winograd;
  const Convolution convolution(k_, size, winograd, layer.direct(), layer.width);
  const Blocks& blocks = convolution.blocks;
  const ForwardPass pass(*plan_, layer, batch_);
  const Slabs& s = pass.slabs;
  const std::optional<Corners>& corners = pass.corners;
  reserve(pass.room);
  clearSlots(s.slots(), layer.width);
  const Taps taps(s, !winograd, true);
  const int groups = std::min(s.groups, blocks.count), atOnce = rowsAtOnce(s);
  const ptrdiff_t stride = resultStride(s);
  const float* bias = weights_.data() + layer.bias;
  threads_.run(s.count * groups, [&](int task, int thread) {
    const int slab = task / groups, group = task % groups;
    float* packed = scratch_[thread].packed.data();
    float* results = scratch_[thread].results.data();
    float* coarse = packed + s.channel * layer.direct();
    float* phases = results + resultFloats(s);
    if (corners) packCorners(batch, corners->up, corners->coarse, slab, coarse);
    eachWindow(s, slab, [&](int first, int end, int firstRow, int endRow) {
      packInputs(batch, layer, s, slab, first, end, scratch_[thread].raw.data(), packed);
      for (int from = firstRow; from < endRow; from += atOnce) {
        const int to = std::min(endRow, from + atOnce);
        for (int b = blocks.count * group / groups; b < blocks.count * (group + 1) / groups; b++) {
          meter.time(Pass::forward, thread, [&] {
            convolve(k_, convolution, s, taps, b, packed, s.channel, forwardWeights_.data() + layer.packedWeight, from,
                     to, results);
          });
          eachPiece(s, slab, from, to, [&](const Piece& piece, ptrdiff_t at) {
            for (int o = 0; o < blocks.width(b); o++) {
              const int channel = blocks.first(b) + o;
              if (corners)
                meter.time(Pass::forward, thread, [&] {
                  addCorners(*corners, slab, channel, piece, coarse, phases, results + o * stride + at);
                });
              const float offset = absolute ? std::fabs(bias[channel]) : bias[channel];
              float* out = volume(layer.activation, piece.n) + channel * size.voxels() + piece.at(size);
              k_.unpack_relu({piece.rows, size.w, s.row}, results + o * stride + at, offset, out, pastCaches_,
                             slot(s.slot(piece.n, piece.z), layer.width, channel));
            }
          });
        }
      }
    });
  });
  count(Pass::forward, layer);
  sumSlots(s.perCase, layer.width, layer.channelAt, sum_, squares_);
}

// Turns the sums of a layer's activation into the scale and shift of its batch norm and dropout.
void Network::normalise(const Layer& layer, int batch, const float* masks, Mode mode) {
  const float* w = weights_.data();
  const double count = (double)batch * plan_->sizeAt(layer.level).voxels();
  for (int c = 0; c < layer.width; c++) {
    const int channel = layer.channelAt + c;
    double mean = w[layer.mean + c], variance = w[layer.variance + c];
    if (mode == Mode::training || mode == Mode::statistics) {
      double sum = 0, squares = 0;
      for (int n = 0; n < batch; n++) {
        sum += sum_[(size_t)n * plan_->channels + channel];
        squares += squares_[(size_t)n * plan_->channels + channel];
      }
      mean = sum / count;
      variance = squares / count - mean * mean;
      if (variance < 0) variance = 0;  // NaN stays
    }
    mean_[channel] = mean;
    variance_[channel] = variance;
    const double scale = w[layer.normWeight + c] / std::sqrt(variance + kEpsilon);
    const double shift = w[layer.normBias + c] - mean * scale;
    for (int n = 0; n < batch; n++) {
      const size_t at = (size_t)n * plan_->channels + channel;
      const float mask = mode == Mode::training && masks ? masks[at] : 1.0f;
      masks_[at] = mask;
      scale_[at] = mode == Mode::synflow ? 1.0f : (float)(scale * mask);
      shift_[at] = mode == Mode::synflow ? 0.0f : (float)(shift * mask);
    }
  }
}

// Whether a convolution of the last forward pass overflowed for a case: the sums of unpack_relu are not finite then.
bool Network::overflowed(int caseIndex) const {
  for (int channel = 0; channel < plan_->channels; channel++) {
    const size_t at = (size_t)caseIndex * plan_->channels + channel;
    if (!std::isfinite(sum_[at]) || std::isnan(squares_[at])) return true;
  }
  return false;
}

// `backward` says whether a backward pass follows.
void Network::forward(const Batch& batch, const float* masks, Mode mode, bool backward) {
  const bool absolute = mode == Mode::synflow;
  packWeights(absolute, backward);
  for (const Layer& layer : plan_->layers) {
    if (layer.up >= 0 && !layer.isComposed()) foldUp(plan_->ups[layer.up], absolute);
    forwardLayer(batch, layer, absolute);
    normalise(layer, batch_, masks, mode);
  }
}

}  // namespace lunet
