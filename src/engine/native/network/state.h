// The state of a network in memory, grouped by purpose. The passes (passes.h) read and write these groups.
#pragma once
#include <vector>

#include "kernels/kernels.h"
#include "network/meter.h"
#include "network/pass_tasks.h"
#include "network/plan.h"
#include "platform/memory.h"
#include "platform/platform.h"

namespace lunet {

// The flat list of tensors (see plan.h), its gradient and moments for training, and its packed form for the kernels.
struct Parameters {
  Floats weights, gradient, m, v;  // m and v are the moments of Adam
  Floats forward, backward;        // weights of the convolutions in the order that the kernels read
  std::vector<Floats> foldedUps;   // of every separate up-convolution, see foldUp
  float beta1, beta2, epsilon;     // of Adam
  double steps = 0;                // Adam steps so far

  Parameters(const Plan& plan, const float* weights, const float* adam);
  // Floats in the parameters of a network of this plan.
  static size_t floats(const Plan& plan);
};

// The intermediate volumes of a batch, in one arena, placed by the plan.
class Volumes {
 public:
  explicit Volumes(int maxBatch) : maxBatch_(maxBatch) {}
  ~Volumes();
  Volumes(const Volumes&) = delete;
  Volumes& operator=(const Volumes&) = delete;

  int batch = 0;            // cases of the batch
  bool pastCaches = false;  // whether the volumes of the batch are too large for any cache

  float* at(const Buffer& buffer, int caseIndex) const {
    return const_cast<Floats&>(arena_).data() + buffer.at * maxBatch_ + (size_t)caseIndex * buffer.perCase;
  }
  bool empty() const { return arena_.size() == 0; }
  size_t floats() const { return arena_.size(); }
  // Allocates the volumes of a plan, without initialising them.
  void allocate(const Plan& plan);
  static size_t floats(const Plan& plan) { return plan.arena * plan.shape.maxBatch + 16; }

 private:
  const size_t maxBatch_;
  Floats arena_;
};

// What the passes of a batch compute for the channels of all layers. Everything except the statistics is per case and
// channel.
struct Channels {
  const int count;
  // Convert an activation to the output of its layer: batch norm and dropout.
  std::vector<float> scale, shift;
  // Convert the gradient at the output of a layer to that before its ReLU (see backward.cpp): a*gradient + b*activation
  // + c.
  std::vector<float> a, b, c;
  std::vector<float> masks;
  // The statistics that normalised each channel: those of the batch or the running ones.
  std::vector<double> mean, variance;
  // Sums over space: activation, its square; gradient, gradient times activation.
  std::vector<double> sum, squares, gradientSum, gradientProduct;

  Channels(int count, int maxBatch);
  size_t at(int caseIndex, int channel) const { return (size_t)caseIndex * count + channel; }
  // Whether a convolution of the last forward pass overflowed for a case: then the sums of unpack_relu are not finite.
  bool overflowed(int caseIndex) const;
};

// Two sums per channel, kept separately for each slot (some planes of a case) and then added in slot order, so that
// results are the same for any number of threads.
class SlotSums {
 public:
  void clear(int slots, int channels) {
    channels_ = channels;
    sums_.assign((size_t)2 * slots * channels, 0.0);
  }
  double* at(int slot, int channel) { return &sums_[2 * ((size_t)slot * channels_ + channel)]; }
  // Adds the `perCase` slots of each case. `first` and `second` are for the channels of all layers; results are written
  // from channelAt on.
  void addUp(int batch, int perCase, const Channels& all, int channelAt, std::vector<double>& first,
             std::vector<double>& second);

 private:
  int channels_ = 0;
  std::vector<double> sums_;
};

// The scratch memory of a thread; each pass defines its own layout.
struct Scratch {
  Floats packed, results, raw;
  std::vector<const float*> pointers;
};

// The memory that passes use besides the volumes.
struct Workspace {
  std::vector<Scratch> scratch;  // one per thread
  Floats weightSums;             // the weight-gradient sums of all tasks
  Floats composed;               // composed weights, or their gradient
  SlotSums slots;

  explicit Workspace(int threads) : scratch(threads) {}
  // Allocates the memory that a pass needs, unless it is already there.
  void reserve(const Room& room);
  size_t bytes() const;
};

// The loss of a network, from [entropy, batchDice, ignored] as JavaScript passes it.
struct Loss {
  bool entropy;    // adds the mean binary cross-entropy to the Dice loss
  bool batchDice;  // the sums of Dice are over the batch, else over each case
  int ignored;     // the label of voxels that do not count, or -1

  explicit Loss(const int32_t* numbers) : entropy(numbers[0] != 0), batchDice(numbers[1] != 0), ignored(numbers[2]) {}
};

// The data that the head (head.cpp) stores for its gradient.
struct Head {
  // For a case and label: dLoss/dLogit as a multiple of a positive and of a negative slope.
  struct Slopes {
    double above, below;
  };
  const Loss loss;
  std::vector<std::vector<uint8_t>> regions;  // label values of each output
  std::vector<double> runSums, sums;          // of each run of voxels, and of each case: see headTerms
  std::vector<Slopes> slopes;                 // (cases, labels)
  double entropySlope = 0;                    // dLoss/dLogit of the cross-entropy as a multiple of p - t

  // Bit k of targets[label] is set if the label value belongs to output k.
  Head(const Shape& shape, const uint32_t* targets, const Loss& loss);
  Region region(int label) const { return {regions[label].data(), (int)regions[label].size()}; }
};

struct State {
  const Kernels& kernels;
  Threads threads;
  Meter meter;
  Plan plan;
  Parameters parameters;
  Volumes volumes;
  Channels channels;
  Workspace workspace;
  Head head;

  State(const Shape& shape, const float* weights, const uint32_t* targets, const Loss& loss, const float* adam,
        const Kernels& kernels, int threads);
  // Allocates the volumes for training or only for inference, which needs less memory.
  void prepare(bool training, int batch);
};

}  // namespace lunet
