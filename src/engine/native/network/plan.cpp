#include "network/plan.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace lunet {

namespace {

// Whether a convolution has enough channels to outweigh the transforms of Winograd's algorithm. False for volumes of
// two planes: there the gradient of many weights is exactly zero, Winograd's sums would give a rounding error instead,
// and Adam makes a full step for any value that is not zero.
bool worthWinograd(int inputs, int outputs, Size size) {
  constexpr int kLeast = 4;
  return std::min(inputs, outputs) >= kLeast && size.d > 2;
}

// Whether an up-convolution and the convolution that reads it are faster when composed (see up/composition.h). Compares
// multiply-adds per voxel and output of the convolution, including those that compose the weights, which are not
// vectorised.
bool worthComposing(const Up& up, int skip, int width, Size size) {
  constexpr double kScalar = 16;
  const auto direct = [&](int inputs) { return inputs * (worthWinograd(inputs, width, size) ? 18.0 : 27.0); };
  const double apart = direct(up.outputs + skip) + (double)up.outputs * up.inputs / width;
  const double weights = 216.0 * up.outputs * up.inputs;
  const double composed = direct(skip) + 8.0 * (up.inputs + 1) + kScalar * weights / size.voxels();
  return composed < apart;
}

}  // namespace

Size Plan::sizeAt(int level) const {
  Size s = shape.size;
  for (int i = 0; i < level; i++) s = s.halved();
  return s;
}

Plan::Plan(const Shape& given, bool forTraining) : shape(given), training(forTraining) {
  connect();
  place();
}

// Lists layers and tensors in the order of `listTensors` (src/network/parameters.ts).
void Plan::connect() {
  const int levels = (int)shape.encoder.size();
  std::vector<int> encoderEnd(levels);
  size_t at = 0;
  const auto take = [&at](size_t floats) {
    const size_t here = at;
    at += floats;
    return here;
  };
  const auto takePacked = [this](size_t floats) {
    const size_t here = packedWeights;
    packedWeights += floats;
    return here;
  };
  int previous = -1;
  const auto block = [&](bool decoder, int level) {
    const std::vector<int>& widths = decoder ? shape.decoder[level] : shape.encoder[level];
    for (size_t i = 0; i < widths.size(); i++) {
      Layer layer{};
      layer.level = level;
      layer.width = widths[i];
      if (i > 0) {
        layer.sources = {{From::layer, previous, layers[previous].width}};
      } else if (decoder) {
        Up up{};
        up.source = previous;
        up.target = (int)layers.size();
        up.inputs = layers[previous].width;
        up.outputs = shape.up[level];
        up.weight = take((size_t)up.inputs * up.outputs * 8);
        up.bias = take(up.outputs);
        // With a power of two, all positions would map to the same cache sets.
        up.positionStride = (ptrdiff_t)(sizeAt(level + 1).voxels() + 15) / 16 * 16 + 16;
        const int skip = shape.skips ? layers[encoderEnd[level]].width : 0;
        up.composed = worthComposing(up, skip, layer.width, sizeAt(level));
        up.packedWeight =
            takePacked(up.composed ? (size_t)64 * layer.width * (up.inputs + 1) : (size_t)8 * up.inputs * up.outputs);
        layer.up = (int)ups.size();
        layer.firstDirect = up.composed ? up.outputs : 0;
        layer.sources = {{up.composed ? From::composed : From::up, layer.up, up.outputs}};
        if (shape.skips) layer.sources.push_back({From::layer, encoderEnd[level], skip});
        ups.push_back(up);
      } else if (level > 0) {
        layer.sources = {{From::pooled, previous, layers[previous].width}};
      } else {
        layer.sources = {{From::image, -1, shape.inputChannels}};
      }
      for (const Source& source : layer.sources) layer.inputs += source.channels;
      layer.winograd = worthWinograd(layer.direct(), layer.width, sizeAt(level));
      layer.weight = take((size_t)layer.width * layer.inputs * 27);
      layer.bias = take(layer.width);
      layer.normWeight = take(layer.width);
      layer.normBias = take(layer.width);
      layer.mean = take(layer.width);
      layer.variance = take(layer.width);
      layer.packedWeight =
          takePacked((size_t)layer.width * layer.inputs * kWinogradWeights);  // the largest of all forms
      layer.channelAt = channels;
      channels += layer.width;
      previous = (int)layers.size();
      layers.push_back(layer);
    }
    if (!decoder) {
      encoderEnd[level] = previous;
      layers[previous].pooled = level + 1 < levels;
    }
  };
  for (int level = 0; level < levels; level++) block(false, level);
  for (int level = levels - 2; level >= 0; level--) block(true, level);
  headWeight = take((size_t)shape.labels * layers[previous].width);
  headBias = take(shape.labels);
  parameters = at;
}

// Determines the passes during which each intermediate volume is needed, and gives it the lowest place that is free
// then. The forward pass of layer i has time 2i + 1; backward passes have the same from the end. The backward pass of
// an up-convolution or pooling follows that of its layer.
void Plan::place() {
  const int count = (int)layers.size();
  const int end = 4 * count + 2;
  const auto forward = [](int layer) { return 2 * layer + 1; };
  const auto backward = [end](int layer) { return end - (2 * layer + 1); };
  const int head = 2 * count;  // forward; the backward pass of the head is the next one
  // The time of the last pass that reads the input of the backward pass of a layer.
  const auto lastRead = [&](int layer) { return backward(layer) + (layers[layer].isComposed() ? 1 : 0); };
  const auto floats = [this](int level, int width) { return sizeAt(level).voxels() * width; };
  std::vector<Buffer*> buffers;
  const auto add = [&buffers](Buffer& buffer, size_t perCase, int from, int to) {
    buffer.perCase = perCase;
    buffer.from = from;
    buffer.to = to;
    buffers.push_back(&buffer);
  };
  for (int i = 0; i < count; i++) {
    Layer& layer = layers[i];
    int lastUse = i + 1 == count ? head : forward(i + 1);
    for (int j = i + 1; j < count; j++)
      for (const Source& s : layers[j].sources)
        if (s.from == From::layer && s.layer == i) lastUse = std::max(lastUse, forward(j));
    add(layer.activation, floats(layer.level, layer.width), forward(i), training ? lastRead(i) : lastUse);
  }
  if (training) {
    add(slopes, floats(0, shape.labels), head, lastRead(count - 1));
    for (int i = 0; i < count; i++) {
      Layer& layer = layers[i];
      if (layer.sources[0].from == From::pooled)
        add(layer.pooledGradient, floats(layer.level, layer.inputs), backward(i), backward(i) + 1);
      if (i + 1 == count) continue;
      // The first pass that writes the gradient: the backward pass of the last consumer.
      int from = backward(i + 1);
      if (layers[i + 1].up >= 0) from = backward(i + 1) + 1;  // through its up-convolution
      if (layers[i + 1].sources[0].from == From::pooled) from = backward(i + 1) + 1;
      for (int j = i + 2; j < count; j++)
        for (const Source& s : layers[j].sources)
          if (s.from == From::layer && s.layer == i) from = std::min(from, backward(j));
      add(layer.gradient, floats(layer.level, layer.width), from, lastRead(i));
    }
    for (Up& up : ups)
      if (!up.composed)
        add(up.gradient, (size_t)up.outputs * 8 * up.positionStride, backward(up.target), backward(up.target) + 1);
  }
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const Buffer* a, const Buffer* b) { return a->perCase > b->perCase; });
  std::vector<const Buffer*> placed;
  for (Buffer* buffer : buffers) {
    // Rounded up to 16 floats, so that every volume starts aligned for any batch.
    const size_t size = (buffer->perCase + 15) / 16 * 16;
    buffer->at = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (const Buffer* other : placed) {
        const size_t otherSize = (other->perCase + 15) / 16 * 16;
        const bool together = buffer->from <= other->to && other->from <= buffer->to;
        if (together && buffer->at < other->at + otherSize && other->at < buffer->at + size) {
          buffer->at = other->at + otherSize;
          moved = true;
        }
      }
    }
    placed.push_back(buffer);
    arena = std::max(arena, buffer->at + size);
  }
}

}  // namespace lunet
