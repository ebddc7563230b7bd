// A network in memory: weights, optimizer state, the arena of intermediate volumes, and the passes over them.
// One call at a time; the passes are spread over the network's own threads.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "network/meter.h"
#include "network/passes.h"
#include "network/threads.h"

namespace lunet {

// 64-byte aligned floats. Throws std::bad_alloc.
class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t count, bool zeroed = true);
  Floats(Floats&& other) noexcept;
  Floats& operator=(Floats&& other) noexcept;
  ~Floats();
  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  float* data_ = nullptr;
  size_t size_ = 0;
};

// A batch as it lies in JavaScript's memory: image (C, D, H, W), label (D, H, W).
struct Batch {
  std::vector<const float*> images;
  std::vector<const uint8_t*> labels;
  int size() const { return (int)images.size(); }
};

// How a pass differs from plain training.
enum class Mode {
  training,    // batch statistics, dropout
  statistics,  // batch statistics, no dropout
  running,     // running statistics, no dropout
  synflow,     // absolute weights, image of ones, neither batch norm nor dropout
};

class Network {
 public:
  Network(const Shape& shape, const float* weights, const uint32_t* targets, const float* adam, const Kernels& kernels,
          int threads);
  ~Network();

  // Each returns the loss; `masks` are (N, channels). step() also updates, unless the loss is not finite. Without masks
  // gradients and sums are those of evaluation: running statistics, no dropout.
  float step(const Batch& batch, const float* masks, float learningRate);
  float gradients(const Batch& batch, const float* masks);
  void synflow();
  // Sums per case and channel, (N, channels) each: a, a squared, a * dLoss/da (left alone without gradients).
  void activationSums(const Batch& batch, const float* masks, bool withGradients, double* sum, double* squares,
                      double* products);
  // Per case and label: intersection, predicted, target; all NaN for a case that overflowed on its way.
  void evaluate(const Batch& batch, double* overlaps);
  // Probabilities (N, labels, D, H, W).
  void predict(const Batch& batch, bool running, float* probabilities);

  void interrupt() { threads_.interrupt(); }
  void resume() { threads_.resume(); }
  const Shape& shape() const { return shape_; }
  int channels() const { return plan_->channels; }
  size_t parameters() const { return plan_->parameters; }
  float* weights() { return weights_.data(); }
  float* gradient() { return gradient_.data(); }
  float* m() { return m_.data(); }
  float* v() { return v_.data(); }
  double stepCount = 0;
  Meter meter;

  // Bytes that a network of this shape takes at most while training, sums of channels left out; and those it takes now.
  static size_t estimate(const Shape& shape, int threads);
  size_t bytes() const;

 private:
  // network.cpp
  void prepare(bool training, const Batch& batch);
  void reserve(const Room& room);
  void packWeights(bool absolute, bool backward);
  void clearSlots(int slots, int channels) { slots_.assign((size_t)2 * slots * channels, 0.0); }
  double* slot(int index, int channels, int channel) { return &slots_[2 * ((size_t)index * channels + channel)]; }
  void sumSlots(int perCase, int channels, int channelAt, std::vector<double>& first, std::vector<double>& second);
  float* volume(const Buffer& buffer, int caseIndex) const;

  // forward.cpp
  void forward(const Batch& batch, const float* masks, Mode mode, bool backward);
  void count(Pass pass, const Layer& layer);
  void forwardLayer(const Batch& batch, const Layer& layer, bool absolute);
  void normalise(const Layer& layer, int batch, const float* masks, Mode mode);
  bool overflowed(int caseIndex) const;
  void packInputs(const Batch& batch, const Layer& layer, const Slabs& slabs, int slab, int first, int end, float* raw,
                  float* packed) const;
  void packSource(const Batch& batch, const Source& source, int channel, const Slabs& slabs, int slab, int first,
                  int end, float* raw, float* packed) const;

  // head.cpp
  float headLoss(const Batch& batch);
  Region regionOf(int label) const { return {regions_[label].data(), (int)regions_[label].size()}; }
  void headTerms(const Batch* batch);
  void headBackward(bool synflow);
  void mixGradient(int caseIndex, int channel, size_t at, int count, bool synflow, float* gradient);
  template <typename Run>
  void eachHeadRun(int batch, Run run);
  void headLogits(int caseIndex, int label, size_t at, int count, float* logits, const float** pointers) const;

  // backward.cpp
  void backward(const Batch& batch, Mode mode);
  void backwardLayer(const Batch& batch, int index, Mode mode);
  double packGradient(int index, int n, int channel, int z, Rows to, float* packed, float* mixed, bool synflow);
  void unpool(int layer);
  void gradientCoefficients(const Layer& layer, Mode mode);
  void sumPartials(const Slabs& slabs, size_t each, float* to);
  void update(float learningRate);

  // up_composed.cpp
  std::vector<float> upWeights(const Up& up, bool absolute) const;
  std::vector<float> readerWeights(const Up& up, bool absolute) const;
  void composeWeights(const Up& up, bool absolute, bool backward);
  void packCorners(const Batch& batch, const Up& up, const Slabs& coarse, int slab, float* packed) const;
  void addCorners(const Corners& corners, int slab, int output, const Piece& piece, const float* packed, float* phases,
                  float* results) const;
  void packPhases(const Up& up, const Slabs& s, int slab, bool synflow, float* raw, float* packed);
  void backwardComposed(const Batch& batch, const Up& up, bool synflow);
  void takeApart(const Up& up, const float* composed, bool synflow);

  // up_separate.cpp
  void foldUp(const Up& up, bool absolute);
  static size_t foldedFloats(const Up& up) { return (size_t)2 * 4 * (1 + up.inputs); }  // of one output of a case
  void backwardUp(const Up& up);

  const Shape shape_;
  const Kernels& k_;
  Threads threads_;
  std::unique_ptr<Plan> plan_;
  std::vector<std::vector<uint8_t>> regions_;  // labels of each output
  const float beta1_, beta2_, epsilon_;

  Floats weights_, gradient_, m_, v_;
  Floats arena_;
  // The convolutions' weights in the order in which the kernels read them.
  Floats forwardWeights_, backwardWeights_;
  std::vector<Floats> foldedUps_;  // of every up-convolution that is not composed, see foldUp
  struct Scratch {
    Floats packed, results, raw;
    std::vector<const float*> pointers;
  };
  std::vector<Scratch> scratch_;  // one a thread
  Floats partial_;                // weight gradients of slabs; composed weights
  std::vector<double> slots_;     // sums of slabs
  // Per case and channel of all layers: scale and shift that turn an activation into its layer's output, and the
  // coefficients that turn the gradient there into that before the ReLU.
  std::vector<float> scale_, shift_, a_, b_, c_;
  std::vector<float> masks_;
  // The statistics that normalised all layers' channels: the batch's or the running ones.
  std::vector<double> mean_, variance_;
  // Sums over space per case and channel: activation, its square; gradient, gradient times activation.
  std::vector<double> sum_, squares_, gradientSum_, gradientProduct_;
  std::vector<double> headSums_;  // see headTerms
  // Of each label: dLoss/dLogit as a multiple of a positive and of a negative slope.
  struct Slopes {
    double above, below;
  };
  std::vector<Slopes> headSlopes_;
  int batch_ = 0;
  bool pastCaches_ = false;  // whether the batch's volumes are too many for any cache
};

}  // namespace lunet
