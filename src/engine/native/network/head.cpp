// The head: 1x1x1 convolution, sigmoid, soft Dice loss over batch and space, and their gradient, in one pass. It stores
// one volume of slopes per label. The gradient of the last layer is computed from these when it is read (see
// mixGradient), so it is never stored.
#include <algorithm>
#include <cmath>

#include "network/passes.h"

namespace lunet {

namespace {
constexpr int kRun = HeadTasks::kRun;
constexpr int kDiceTerms = 5;
constexpr double kSmooth = 1e-7;

int runsOf(size_t voxels) { return (int)((voxels + kRun - 1) / kRun); }

// Calls work(case, first voxel, voxels, scratch of one run, number of the run) for all runs, on all threads.
template <typename Work>
void eachRun(State& state, Work work) {
  const size_t voxels = state.plan.shape.size.voxels();
  const int runs = runsOf(voxels);
  state.workspace.reserve(HeadTasks(state.plan).room);
  state.threads.run(state.volumes.batch * runs, [&](int task, int thread) {
    const size_t at = (size_t)(task % runs) * kRun;
    work(task / runs, at, (int)std::min<size_t>(kRun, voxels - at), state.workspace.scratch[thread], task);
  });
}

void logitsOf(const State& state, int caseIndex, int label, size_t at, int count, float* logits,
              const float** pointers) {
  const Plan& plan = state.plan;
  const Layer& last = plan.layers.back();
  const float* w = state.parameters.weights.data();
  const size_t coefficients = state.channels.at(caseIndex, last.channelAt);
  const float* activation = state.volumes.at(last.activation, caseIndex) + at;
  for (int c = 0; c < last.width; c++) pointers[c] = activation + c * plan.shape.size.voxels();
  state.kernels.head_logits(count, last.width, pointers, &state.channels.scale[coefficients],
                            &state.channels.shift[coefficients], w + plan.headWeight + (size_t)label * last.width,
                            w[plan.headBias + label], logits);
}

// Reads the activation of the last layer once. Stores a volume of signed slopes for each label, and the sums that loss
// and gradient need, per case and label, in Head::sums: the sums of dice_terms, then for each channel those of
// signed_sums. Without a batch (synflow) every slope is 1.
void headTerms(State& state, const Batch* batch) {
  const Plan& plan = state.plan;
  const Kernels& k = state.kernels;
  Head& head = state.head;
  const Layer& last = plan.layers.back();
  const int labels = plan.shape.labels;
  const size_t voxels = plan.shape.size.voxels(), each = kDiceTerms + 2 * last.width, perRun = each * labels;
  const int runs = runsOf(voxels), count = runs * state.volumes.batch;
  head.runSums.assign(perRun * count, 0.0);
  eachRun(state, [&](int n, size_t at, int count, Scratch& scratch, int run) {
    for (int label = 0; label < labels; label++) {
      float* slope = state.volumes.at(plan.slopes, n) + label * voxels + at;
      double* sums = &head.runSums[perRun * run + each * label];
      if (batch) {
        logitsOf(state, n, label, at, count, slope, scratch.pointers.data());
        k.sigmoid(count, slope);
        k.dice_terms(count, slope, batch->labels[n] + at, head.region(label), sums);
      } else {
        std::fill(slope, slope + count, 1.0f);
        sums[3] = count;
      }
      for (int c = 0; c < last.width; c++)
        k.signed_sums(count, slope, state.volumes.at(last.activation, n) + c * voxels + at, sums + kDiceTerms + 2 * c);
    }
  });
  head.sums.assign(perRun * state.volumes.batch, 0.0);
  for (int run = 0; run < count; run++)
    for (size_t i = 0; i < perRun; i++) head.sums[run / runs * perRun + i] += head.runSums[run * perRun + i];
}

}  // namespace

// With q = p (1 - p), the stored slope is q outside the target and -q inside, and dLoss/dLogit = q * (t*a + b) with a =
// -2/S, b = 2I/S^2 (I the sum of p t, S that of p and t): b times a positive slope, -(a + b) times a negative slope.
float headLoss(State& state, const Batch& batch) {
  headTerms(state, &batch);
  Head& head = state.head;
  const int labels = state.plan.shape.labels;
  const size_t each = kDiceTerms + 2 * state.plan.layers.back().width;
  double loss = 1;
  for (int k = 0; k < labels; k++) {
    double both = 0, total = kSmooth;
    for (int n = 0; n < batch.size(); n++) {
      const double* sums = &head.sums[each * (n * labels + k)];
      both += sums[0];
      total += sums[1] + sums[2];
    }
    loss -= 2 * both / total / labels;
    const double b = 2 * both / (total * total) / labels;
    head.slopes[k] = {b, 2 / total / labels - b};
  }
  return (float)loss;
}

// The gradient of the weights of the head, and the sums over the gradient of the last layer for its batch norm.
void headBackward(State& state, bool synflow) {
  const Plan& plan = state.plan;
  Head& head = state.head;
  Channels& channels = state.channels;
  const Layer& last = plan.layers.back();
  const int labels = plan.shape.labels, width = last.width;
  const size_t each = kDiceTerms + 2 * width;
  const float* w = state.parameters.weights.data() + plan.headWeight;
  float* gradient = state.parameters.gradient.data();
  if (synflow) {
    headTerms(state, nullptr);
    std::fill(head.slopes.begin(), head.slopes.end(), Head::Slopes{1, 0});
  }
  for (int n = 0; n < state.volumes.batch; n++) {
    const size_t at = channels.at(n, last.channelAt);
    for (int c = 0; c < width; c++) channels.gradientSum[at + c] = channels.gradientProduct[at + c] = 0;
    for (int k = 0; k < labels; k++) {
      const double* sums = &head.sums[each * (n * labels + k)];
      const Head::Slopes slopes = head.slopes[k];
      const double sum = slopes.above * sums[3] + slopes.below * sums[4];  // of dLoss/dLogit
      gradient[plan.headBias + k] += (float)sum;
      for (int c = 0; c < width; c++) {
        const double* products = sums + kDiceTerms + 2 * c;
        const double product = slopes.above * products[0] + slopes.below * products[1];  // with the activation
        const double weight = weightIn(synflow, w[k * width + c]);
        channels.gradientSum[at + c] += weight * sum;
        channels.gradientProduct[at + c] += weight * product;
        gradient[plan.headWeight + (size_t)k * width + c] +=
            (float)(product * channels.scale[at + c] + sum * channels.shift[at + c]);
      }
    }
  }
}

void mixGradient(const State& state, int caseIndex, int channel, size_t at, int count, bool synflow, float* gradient) {
  const Plan& plan = state.plan;
  const float* w = state.parameters.weights.data() + plan.headWeight + channel;
  for (int k = 0; k < plan.shape.labels; k++) {
    const double weight = weightIn(synflow, w[(size_t)k * plan.layers.back().width]);
    const Head::Slopes slopes = state.head.slopes[k];
    state.kernels.head_gradient(count, state.volumes.at(plan.slopes, caseIndex) + k * plan.shape.size.voxels() + at,
                                (float)(weight * slopes.above), (float)(weight * slopes.below), k == 0, gradient);
  }
}

void headOverlaps(State& state, const Batch& batch, double* overlaps) {
  const Kernels& kernels = state.kernels;
  Head& head = state.head;
  const int labels = state.plan.shape.labels, runs = runsOf(state.plan.shape.size.voxels());
  const size_t each = (size_t)3 * labels;
  head.runSums.assign(each * runs * batch.size(), 0.0);
  eachRun(state, [&](int n, size_t at, int count, Scratch& scratch, int run) {
    float* p = scratch.packed.data();
    for (int k = 0; k < labels; k++) {
      double* sums = &head.runSums[each * run + 3 * k];
      logitsOf(state, n, k, at, count, p, scratch.pointers.data());
      const bool finite = std::all_of(p, p + count, [](float logit) { return std::isfinite(logit); });
      kernels.sigmoid(count, p);
      kernels.overlap(count, p, batch.labels[n] + at, head.region(k), sums);
      if (!finite) sums[0] = NAN;
    }
  });
  std::fill(overlaps, overlaps + each * batch.size(), 0.0);
  for (int run = 0; run < runs * batch.size(); run++)
    for (size_t i = 0; i < each; i++) overlaps[run / runs * each + i] += head.runSums[run * each + i];
  for (int n = 0; n < batch.size(); n++) {
    double* ofCase = overlaps + n * each;
    const bool number = std::none_of(ofCase, ofCase + each, [](double sum) { return std::isnan(sum); });
    if (!number || state.channels.overflowed(n)) std::fill_n(ofCase, each, NAN);
  }
}

void headProbabilities(State& state, float* probabilities) {
  const int labels = state.plan.shape.labels;
  const size_t voxels = state.plan.shape.size.voxels();
  eachRun(state, [&](int n, size_t at, int count, Scratch& scratch, int) {
    for (int k = 0; k < labels; k++) {
      float* p = probabilities + ((size_t)n * labels + k) * voxels + at;
      logitsOf(state, n, k, at, count, p, scratch.pointers.data());
      state.kernels.sigmoid(count, p);
    }
  });
}

}  // namespace lunet
