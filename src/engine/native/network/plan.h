// The plan of a network, computed once from its shape: layers and the sources of their inputs, the offset of each
// tensor in the flat list, and the place of each intermediate volume in memory.
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
  size_t at = 0;          // offset in the arena in floats, per case of the largest batch
};

enum class From { image, layer, pooled, up, composed };

// The source of consecutive input channels of a layer.
struct Source {
  From from;
  int layer;  // for `layer` and `pooled`: index of the layer; for `up` and `composed`: index of the up-convolution
  int channels;
};

// A 3x3x3 convolution with ReLU, batch norm and dropout. Offsets are floats in the flat list of tensors.
struct Layer {
  int level;
  int inputs, width;
  int firstDirect = 0;  // earlier inputs are composed with the convolution (see up/composition.h)
  int channelAt;        // index of its first channel among the channels of all layers
  size_t weight, bias, normWeight, normBias, mean, variance;
  size_t packedWeight;  // offset of the weight among those packed for the kernels
  bool winograd;        // whether all three of its convolutions use Winograd's algorithm (see winograd.h)
  std::vector<Source> sources;
  Buffer activation;      // after ReLU, dense
  Buffer gradient;        // with respect to its output, after batch norm and dropout; not stored for the last layer
  bool pooled;            // last layer of an encoder block above the bottleneck
  int up = -1;            // the up-convolution before it, or -1
  Buffer pooledGradient;  // with respect to its pooled input, for the first layer of an encoder block below the top

  bool isComposed() const { return firstDirect > 0; }
  int direct() const { return inputs - firstDirect; }
};

// The 2x2x2 up-convolution from the output of `source` to `level`. Its output is never stored.
struct Up {
  int source;  // layer
  int target;  // layer that reads it
  int inputs, outputs;
  bool composed;  // with the convolution that reads it, see up/composition.h
  size_t weight, bias, packedWeight;
  // Unless composed: gradient with respect to its output; for each output eight positions (z, y, x), each a coarse
  // volume.
  Buffer gradient;
  ptrdiff_t positionStride;  // floats between positions
};

// The shape of a network, as passed by JavaScript.
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
  std::vector<Layer> layers;  // in the order of data flow
  std::vector<Up> ups;        // also in that order: deepest first
  Buffer slopes;              // signed slopes of the sigmoid (see head.cpp): one volume per label
  size_t headWeight = 0, headBias = 0;
  size_t parameters = 0;     // floats in the flat list of tensors, including running statistics
  size_t packedWeights = 0;  // floats of the weights packed for the kernels, for one direction
  int channels = 0;          // channels of all layers
  bool training;
  size_t arena = 0;  // floats of all volumes of one case

  // A plan for inference keeps a volume only until its last read; only a training plan has gradients.
  Plan(const Shape& shape, bool training);
  Size sizeAt(int level) const;

 private:
  void connect();
  void place();
};

}  // namespace lunet
