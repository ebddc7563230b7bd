// What a network holds in memory, in groups by what they are for. The passes (passes.h) take what they read and write
// from here.
#pragma once
#include <vector>

#include "kernels/kernels.h"
#include "network/meter.h"
#include "network/pass_tasks.h"
#include "network/plan.h"
#include "platform/memory.h"
#include "platform/platform.h"

namespace lunet {

// The flat list of tensors (see plan.h), what is known of it for training, and what kernels read of it.
struct Parameters {
  Floats weights, gradient, m, v;  // m and v are Adam's moments
  Floats forward, backward;        // the convolutions' weights in the order in which the kernels read them
  std::vector<Floats> foldedUps;   // of every up-convolution that is not composed, see foldUp
  float beta1, beta2, epsilon;     // of Adam
  double steps = 0;                // that Adam has made

  Parameters(const Plan& plan, const float* weights, const float* adam);
  // Floats that networks of this plan hold.
  static size_t floats(const Plan& plan);
};

// The intermediate volumes of a batch, which lie in one arena as the plan says.
class Volumes {
 public:
  explicit Volumes(int maxBatch) : maxBatch_(maxBatch) {}
  ~Volumes();
  Volumes(const Volumes&) = delete;
  Volumes& operator=(const Volumes&) = delete;

  int batch = 0;            // cases of the batch
  bool pastCaches = false;  // whether the batch's volumes are too many for any cache

  float* at(const Buffer& buffer, int caseIndex) const {
    return const_cast<Floats&>(arena_).data() + buffer.at * maxBatch_ + (size_t)caseIndex * buffer.perCase;
  }
  bool empty() const { return arena_.size() == 0; }
  size_t floats() const { return arena_.size(); }
  // Makes room for the volumes of a plan; what is in them is arbitrary.
  void allocate(const Plan& plan);
  static size_t floats(const Plan& plan) { return plan.arena * plan.shape.maxBatch + 16; }

 private:
  const size_t maxBatch_;
  Floats arena_;
};

// What a batch's passes find out about the channels of all layers. Everything but the statistics is per case and
// channel.
struct Channels {
  const int count;
  // Turn an activation into its layer's output: batch norm and dropout.
  std::vector<float> scale, shift;
  // Turn the gradient at a layer's output into that before its ReLU (see backward.cpp): a*gradient + b*activation + c.
  std::vector<float> a, b, c;
  std::vector<float> masks;
  // The statistics that normalised each channel: the batch's or the running ones.
  std::vector<double> mean, variance;
  // Sums over space: activation, its square; gradient, gradient times activation.
  std::vector<double> sum, squares, gradientSum, gradientProduct;

  Channels(int count, int maxBatch);
  size_t at(int caseIndex, int channel) const { return (size_t)caseIndex * count + channel; }
  // Whether a convolution of the last forward pass overflowed for a case: the sums of unpack_relu are not finite then.
  bool overflowed(int caseIndex) const;
};

// Two sums for each of some channels, apart for every run of planes of a case, a slot, until they are added in their
// order: so that results are the same for any number of threads.
class SlotSums {
 public:
  void clear(int slots, int channels) {
    channels_ = channels;
    sums_.assign((size_t)2 * slots * channels, 0.0);
  }
  double* at(int slot, int channel) { return &sums_[2 * ((size_t)slot * channels_ + channel)]; }
  // Adds the `perCase` slots of each case; `first` and `second` are of all layers' channels, those meant begin at
  // channelAt.
  void addUp(int batch, int perCase, const Channels& all, int channelAt, std::vector<double>& first,
             std::vector<double>& second);

 private:
  int channels_ = 0;
  std::vector<double> sums_;
};

// A thread's scratch memory; what a pass keeps where, it says itself.
struct Scratch {
  Floats packed, results, raw;
  std::vector<const float*> pointers;
};

// The memory that passes work in, besides the volumes.
struct Workspace {
  std::vector<Scratch> scratch;  // one a thread
  Floats weightSums;             // each task's sums for its share of a weight gradient
  Floats composed;               // composed weights, or their gradient
  SlotSums slots;

  explicit Workspace(int threads) : scratch(threads) {}
  // Makes sure that there is the room that a pass needs.
  void reserve(const Room& room);
  size_t bytes() const;
};

// What the head (head.cpp) leaves for its gradient.
struct Head {
  // Of each label: dLoss/dLogit as a multiple of a positive and of a negative slope.
  struct Slopes {
    double above, below;
  };
  std::vector<std::vector<uint8_t>> regions;  // label values of each output
  std::vector<double> runSums, sums;          // of each run of voxels, and of each case: see headTerms
  std::vector<Slopes> slopes;

  // Bit k of targets[label] says whether a label value belongs to output k.
  Head(int labels, const uint32_t* targets);
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

  State(const Shape& shape, const float* weights, const uint32_t* targets, const float* adam, const Kernels& kernels,
        int threads);
  // Makes sure that the volumes have room for what follows: inference alone takes less memory than training.
  void prepare(bool training, int batch);
};

}  // namespace lunet
