// The passes over a network, as functions of its state. pass_tasks.h defines the tasks of each pass.
#pragma once
#include <cmath>

#include "network/state.h"

namespace lunet {

// A batch in the memory of JavaScript: image (C, D, H, W), label (D, H, W).
struct Batch {
  std::vector<const float*> images;
  std::vector<const uint8_t*> labels;
  int size() const { return (int)images.size(); }
};

// The mode of a pass.
enum class Mode {
  training,    // batch statistics, dropout
  statistics,  // batch statistics, no dropout
  running,     // running statistics, no dropout
  synflow,     // absolute weights, image of ones, no batch norm, no dropout
};

constexpr double kNormEpsilon = 1e-5;  // batch norm adds this to the variance

// A weight, or its absolute value.
inline float weightIn(bool absolute, float weight) { return absolute ? std::fabs(weight) : weight; }

// forward.cpp. `masks` are (N, channels), or null for none; `backward` says whether a backward pass follows.
void forward(State& state, const Batch& batch, const float* masks, Mode mode, bool backward);
// Packs planes [first, end) of a window of a slab: the inputs of a layer without composed ones, or one channel of a
// source.
void packInputs(const State& state, const Batch& batch, const Layer& layer, const Slabs& slabs, int slab, int first,
                int end, float* raw, float* packed);
void packSource(const State& state, const Batch& batch, const Source& source, int channel, const Slabs& slabs, int slab,
                int first, int end, float* raw, float* packed);
// Counts the multiply-adds of one convolution pass of a layer.
void countMultiplyAdds(State& state, Pass pass, const Layer& layer);

// head.cpp, each after a forward pass. headLoss returns the loss and stores the data that the gradient needs.
float headLoss(State& state, const Batch& batch);
void headBackward(State& state, bool synflow);
// Writes `count` voxels, from `at` on, of the gradient at the output of the last layer: the weighted sum of the
// gradients of the labels.
void mixGradient(const State& state, int caseIndex, int channel, size_t at, int count, bool synflow, float* gradient);
void headOverlaps(State& state, const Batch& batch, double* overlaps);
void headProbabilities(State& state, float* probabilities);

// backward.cpp, after headLoss or, for synflow, a forward pass.
void backward(State& state, const Batch& batch, Mode mode);
// Packs a plane of the gradient before the ReLU of a layer; `mixed` is scratch memory for a dense plane. Returns the
// sum.
double packGradient(const State& state, int layer, int n, int channel, int z, Rows to, float* packed, float* mixed,
                    bool synflow);
// Adds the weight sums of `tasks` tasks, `each` floats per task, in task order. `to` may be the sums of the first task.
void addWeightSums(State& state, int tasks, size_t each, float* to);
// Running statistics (momentum 0.1, unbiased variance, as in PyTorch) and a step of Adam.
void update(State& state, float learningRate);

// up/composed.cpp
void composeWeights(State& state, const Up& up, bool absolute, bool backward);
void packCorners(const State& state, const Batch& batch, const Up& up, const Slabs& coarse, int slab, float* packed);
void addCorners(const State& state, const Corners& corners, int slab, int output, const Piece& piece,
                const float* packed, float* phases, float* results);
void backwardComposed(State& state, const Batch& batch, const Up& up, bool synflow);

// up/separate.cpp
void foldUp(State& state, const Up& up, bool absolute);
void backwardUp(State& state, const Up& up);

}  // namespace lunet
