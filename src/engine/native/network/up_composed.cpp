// Up-convolutions composed with the convolution that reads them (see up_composition.h). Forward, a layer's task packs
// the coarse volume and adds to each run of rows of its result what comes from there. Backward they have a pass, which
// packs the gradient before the layer's ReLU by phases of corners. The gradients of the composed weights and of the
// coarse volume then take the same kernels as every other convolution.
#include <cmath>

#include "network/network.h"
#include "network/slab_packing.h"

namespace lunet {

namespace {

Composition compositionOf(const Up& up, const Layer& reader) { return {up.inputs + 1, up.outputs, reader.width}; }

std::vector<float> absoluteOf(std::vector<float> values) {
  for (float& value : values) value = std::fabs(value);
  return values;
}

// Fine voxels' gradient flows back to the coarse voxels before and at their corner.
Taps turned(const Taps& taps) {
  Taps back = taps;
  for (int t = 0; t < taps.count; t++) back.at[t] = -taps.at[t];
  return back;
}

}  // namespace

// An up-convolution's weights and, as one more input's, its biases, as Composition takes them.
std::vector<float> Network::upWeights(const Up& up, bool absolute) const {
  const float* w = weights_.data();
  std::vector<float> weights;
  for (int i = 0; i < 8 * up.outputs; i++) {
    for (int c = 0; c < up.inputs; c++) weights.push_back(w[up.weight + (size_t)c * 8 * up.outputs + i]);
    weights.push_back(w[up.bias + i / 8]);
  }
  return absolute ? absoluteOf(weights) : weights;
}

// The weights with which a convolution reads an up-convolution's output.
std::vector<float> Network::readerWeights(const Up& up, bool absolute) const {
  const Layer& reader = plan_->layers[up.target];
  std::vector<float> weights;
  for (int o = 0; o < reader.width; o++) {
    const float* from = weights_.data() + reader.weight + (size_t)o * reader.inputs * 27;
    weights.insert(weights.end(), from, from + (size_t)up.outputs * 27);
  }
  return absolute ? absoluteOf(weights) : weights;
}

// Composes the weights and brings them into the kernels' order: forward (output, z of the phase, input, tap, the four
// phases there), backward as a convolution from phases to coarse channels.
void Network::composeWeights(const Up& up, bool absolute, bool backward) {
  const Composition composition = compositionOf(up, plan_->layers[up.target]);
  const std::vector<float> ups = upWeights(up, absolute), reader = readerWeights(up, absolute);
  const int inputs = composition.inputs;
  Room room;
  room.partial = composition.composedFloats();
  reserve(room);
  float* composed = partial_.data();
  float* forward = forwardWeights_.data() + up.packedWeight;
  const auto weight = [&](int phase, int c, int tap) { return composed[((size_t)phase * 8 + tap) * inputs + c]; };
  threads_.run(composition.outputs, [&](int o, int) {
    composition.compose(o, ups.data(), reader.data(), composed);
    float* to = forward + o * composition.composedInOutput();
    for (int first = 8 * o; first < 8 * o + 8; first += 4)
      for (int c = 0; c < inputs; c++)
        for (int tap = 0; tap < 8; tap++)
          for (int phase = first; phase < first + 4; phase++) *to++ = weight(phase, c, tap);
  });
  if (!backward) return;
  const Convolution back(k_, 8, 8 * composition.outputs, up.inputs);
  back.packWeights(backwardWeights_.data() + up.packedWeight,
                   [&](int c, int phase, int tap) { return weight(phase, c, tap); });
}

// Packs the coarse planes that a slab of fine ones needs: the channels of the layer below, then ones for the biases.
void Network::packCorners(const Batch& batch, const Up& up, const Slabs& s, int slab, float* packed) const {
  const int end = s.casesIn(slab) * (s.planesIn(slab) + 1);
  for (int c = 0; c < up.inputs; c++, packed += s.channel)
    packSource(batch, {From::layer, up.source, up.inputs}, c, s, slab, -1, end, nullptr, packed);
  packChannel(k_, s, slab, false, -1, end, nullptr, packed, [&](int, int, float* to) {
    std::fill_n(to, s.plane, 0.0f);
    for (int y = 0; y < s.size.h; y++) std::fill_n(to + y * s.row, s.size.w, 1.0f);
  });
}

// Adds what comes from the coarse volume to an output's run of rows: to `results`, packed as they are. `phases` is room
// for corners.phasesFloats().
void Network::addCorners(const Corners& corners, int slab, int output, const Piece& piece, const float* packed,
                         float* phases, float* results) const {
  const Slabs& s = corners.coarse;
  const int first = (piece.y + 1) / 2, rows = (piece.y + piece.rows) / 2 + 1 - first;
  const int plane = (piece.n - s.firstCase(slab)) * (s.planes + 1) + (piece.z + 1) / 2 - s.firstPlane(slab);
  const int inputs = corners.up.inputs + 1;
  const float* weights =
      forwardWeights_.data() + corners.up.packedWeight + (size_t)(2 * output + piece.z % 2) * inputs * 32;
  k_.correlate(4, packed + s.origin + plane * s.plane + first * s.row, s.channel, inputs, corners.taps.at, 8, weights,
               false, phases, corners.stride, rows * (int)s.row);
  k_.add_phases({piece.rows, corners.fine.size.w, corners.fine.row}, results, piece.y, phases, corners.stride, s.row);
}

// Packs the gradient before the reader's ReLU by phases of corners, those of each output side by side. `raw` is room
// for two fine planes.
void Network::packPhases(const Up& up, const Slabs& s, int slab, bool synflow, float* raw, float* packed) {
  const Layer& reader = plan_->layers[up.target];
  const Size fine = plan_->sizeAt(reader.level);
  const Rows rows{fine.h, fine.w, fine.w + 1};
  float* mixed = raw + (fine.h + 1) * rows.stride;
  const int planes = s.planesIn(slab), z0 = s.firstPlane(slab);
  for (int o = 0; o < reader.width; o++)
    for (int zPhase = 0; zPhase < 2; zPhase++, packed += 4 * s.channel) {
      float* to = packed + s.origin;
      for (int i = 0; i < s.casesIn(slab); i++)
        for (int j = 0; j <= planes; j++, to += s.plane) {
          const int z = 2 * (z0 + j) - zPhase;
          if (z >= 0 && z < fine.d) {
            packGradient(up.target, s.firstCase(slab) + i, o, z, rows, raw, mixed, synflow);
            k_.split_phases(rows, raw, to, s.channel, s.row);
          } else {
            for (int phase = 0; phase < 4; phase++) std::fill_n(to + phase * s.channel, s.plane, 0.0f);
          }
        }
    }
}

void Network::backwardComposed(const Batch& batch, const Up& up, bool synflow) {
  const Layer& from = plan_->layers[up.source];
  const Size size = plan_->sizeAt(from.level);
  const ComposedPass pass(*plan_, up, batch_);
  const Slabs& s = pass.slabs;
  const int phases = pass.phases, factors = pass.factors, atOnce = rowsAtOnce(s);
  const size_t each = pass.each, voxels = size.voxels();
  const Convolution back(k_, 8, phases, up.inputs);
  const Taps taps = cornerTaps(s), backTaps = turned(taps);
  reserve(pass.room);
  clearSlots(s.slots(), up.inputs);

  threads_.run(s.count, [&](int slab, int thread) {
    Scratch& scratch = scratch_[thread];
    float* dy = scratch.packed.data();
    float* x = dy + phases * s.channel;
    float* results = scratch.results.data();
    const float** at = scratch.pointers.data();
    float* sums = partial_.data() + slab * each;
    std::fill(sums, sums + each, 0.0f);
    packPhases(up, s, slab, synflow, scratch.raw.data(), dy);
    packCorners(batch, up, s, slab, x);

    // Of the first plane of corners only the phases behind it (z of 0) belong to the slab, of the last those before it.
    const ptrdiff_t length = s.rowsIn(slab) * s.row, run = WeightGradient::run(length);
    meter.time(Pass::weightGradient, thread, [&] {
      for (ptrdiff_t i = 0; i < length; i += run)
        for (int phase = 0; phase < phases; phase += 4) {
          const ptrdiff_t begin = s.origin + phase / 4 % 2 * s.plane + i;
          for (int f = 0; f < factors; f++) at[f] = x + f % pass.inputs * s.channel + begin + taps.at[f / pass.inputs];
          k_.products(4, dy + phase * s.channel + begin, s.channel, at, factors, (int)std::min(run, length - i),
                      sums + (size_t)phase * factors, factors);
        }
    });

    const int end = s.rowsIn(slab);
    for (int row = 0; row < end; row += atOnce) {
      const int to = std::min(end, row + atOnce);
      for (int b = 0; b < back.blocks.count; b++) {
        meter.time(Pass::inputGradient, thread, [&] {
          convolve(k_, back, s, backTaps, b, dy, s.channel, backwardWeights_.data() + up.packedWeight, row, to,
                   results);
        });
        eachPiece(s, slab, row, to, [&](const Piece& piece, ptrdiff_t offset) {
          for (int i = 0; i < back.blocks.width(b); i++) {
            const int c = back.blocks.first(b) + i;
            const size_t place = c * voxels + piece.at(size);
            k_.unpack_gradient({piece.rows, size.w, s.row}, results + i * resultStride(s) + offset,
                               volume(from.gradient, piece.n) + place, volume(from.activation, piece.n) + place,
                               pastCaches_, slot(s.slot(piece.n, piece.z), up.inputs, c));
          }
        });
      }
    }
  });
  sumSlots(s.perCase, up.inputs, from.channelAt, gradientSum_, gradientProduct_);

  sumPartials(s, each, partial_.data());
  takeApart(up, partial_.data(), synflow);
}

// From the gradient of the composed weights to those of the two layers. PyTorch's axes are (output, input, tap) and
// (input, output, position).
void Network::takeApart(const Up& up, const float* composed, bool synflow) {
  const Layer& reader = plan_->layers[up.target];
  const Composition composition = compositionOf(up, reader);
  const std::vector<float> ups = upWeights(up, synflow), weights = readerWeights(up, synflow);
  float* gradient = gradient_.data();
  threads_.run(reader.width, [&](int o, int) {
    composition.convolutionGradient(o, composed, ups.data(), gradient + reader.weight + (size_t)o * reader.inputs * 27);
  });
  threads_.run(up.outputs, [&](int u, int) {
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

}  // namespace lunet
