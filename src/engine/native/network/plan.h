// What a network's passes need to know, computed once from its shape: layers and where their inputs come from,
// where each tensor lies in the flat list, and where each intermediate volume lies in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lunet {

struct Size {
  int d, h, w;
  size_t voxels() const { return (size_t)d * h * w; }
  Size halved() const { return {d / 2, h / 2, w / 2}; }
};

// A place in the arena: `perCase` floats for each case.
struct Buffer {
  size_t perCase = 0;
  int from = 0, to = -1;  // first and last pass that use it
  size_t at = 0;          // floats from the arena's start, per case of the largest batch
};

enum class From { image, layer, pooled, up, composed };

// Where some of a layer's input channels come from.
struct Source {
  From from;
  int layer;  // whose activation, for `layer` and `pooled`; which up-convolution, for `up` and `composed`
  int channels;
};

// A 3x3x3 convolution with ReLU, batch norm and dropout. Offsets are floats in the flat list of tensors.
struct Layer {
  int level;
  int inputs, width;
  int firstDirect = 0;  // inputs before it come composed with the convolution (see up/composition.h)
  int channelAt;        // of its first channel among the channels of all layers
  size_t weight, bias, normWeight, normBias, mean, variance;
  size_t packedWeight;  // where the weight starts among those packed for the kernels
  bool winograd;        // whether its convolutions, all three, are worth Winograd's algorithm (see winograd.h)
  std::vector<Source> sources;
  Buffer activation;      // after ReLU, dense
  Buffer gradient;        // with respect to its output, after batch norm and dropout; the last layer's is never stored
  bool pooled;            // an encoder block's last layer above the bottleneck
  int up = -1;            // the up-convolution in front of it, or -1
  Buffer pooledGradient;  // with respect to its pooled input, for an encoder block's first layer below the top

  bool isComposed() const { return firstDirect > 0; }
  int direct() const { return inputs - firstDirect; }
};

// The 2x2x2 up-convolution from `source`'s output to `level`. Its output is never stored.
struct Up {
  int source;  // layer
  int target;  // layer that reads it
  int inputs, outputs;
  bool composed;  // with the convolution that reads it, see up/composition.h
  size_t weight, bias, packedWeight;
  // Unless composed: with respect to its output, for each output its eight positions (z, y, x), each a coarse volume.
  Buffer gradient;
  ptrdiff_t positionStride;  // floats from a position to the next
};

// The network's shape as it comes from JavaScript.
struct Shape {
  int inputChannels = 0, labels = 0;
  bool skips = true;
  Size size{};
  int maxBatch = 0;
  std::vector<std::vector<int>> encoder, decoder;
  std::vector<int> up;
};

struct Plan {
  Shape shape;
  std::vector<Layer> layers;  // in the order in which data flows
  std::vector<Up> ups;        // in that order too: deepest first
  Buffer slopes;              // of the sigmoid, signed (see head.cpp): one volume a label
  size_t headWeight = 0, headBias = 0;
  size_t parameters = 0;     // floats in the flat list of tensors, running statistics included
  size_t packedWeights = 0;  // floats of the weights packed for the kernels, in one direction
  int channels = 0;          // of all layers
  bool training;
  size_t arena = 0;  // floats of all volumes of one case

  // A plan for inference keeps a volume only until its last reader; only a training plan has gradients.
  Plan(const Shape& shape, bool training);
  Size sizeAt(int level) const;

 private:
  void connect();
  void place();
};

}  // namespace lunet
