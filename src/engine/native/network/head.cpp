// The head: 1x1x1 convolution, sigmoid, soft Dice loss, with or without cross-entropy, and their gradient, in one pass. It
// stores one volume of slopes, or with cross-entropy of errors, per label. The gradient of the last layer is computed from these when it is read (see
// mixGradient), so it is never stored.
#include <algorithm>
#include <cmath>

#include "network/passes.h"

namespace lunet {

namespace {
constexpr int kRun = HeadTasks::kRun;
constexpr double kSmooth = 1e-7;

// The sums that are kept for each label: first those of dice_terms or entropy_terms, then for each channel those of
// signed_sums or error_sums.
struct Sums {
  int terms, perChannel;
  size_t each;

  Sums(bool entropy, int channels)
      : terms(entropy ? 8 : 5), perChannel(entropy ? 3 : 2), each(terms + (size_t)perChannel * channels) {}
};

// Whether volumes of errors are stored. SynFlow has no loss.
bool hasEntropy(const State& state, bool synflow) { return state.head.loss.entropy && !synflow; }

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

// Sets the probabilities of ignored voxels to 0: as their label is in no region, they then count nowhere.
void leaveOut(const State& state, const uint8_t* label, int count, float* probabilities) {
  const int ignored = state.head.loss.ignored;
  if (ignored >= 0) state.kernels.clear_ignored(count, label, ignored, probabilities);
}

// Reads the activation of the last layer once. Stores a volume of signed slopes or errors for each label, and the sums
// that loss and gradient need, per case and label, in Head::sums. Without a batch (synflow) every slope is 1.
void headTerms(State& state, const Batch* batch) {
  const Plan& plan = state.plan;
  const Kernels& k = state.kernels;
  Head& head = state.head;
  const Layer& last = plan.layers.back();
  const int labels = plan.shape.labels;
  const bool entropy = hasEntropy(state, !batch);
  const Sums kept(entropy, last.width);
  const auto channelSums = entropy ? k.error_sums : k.signed_sums;
  const size_t voxels = plan.shape.size.voxels(), each = kept.each, perRun = each * labels;
  const int runs = runsOf(voxels), count = runs * state.volumes.batch;
  head.runSums.assign(perRun * count, 0.0);
  eachRun(state, [&](int n, size_t at, int count, Scratch& scratch, int run) {
    for (int label = 0; label < labels; label++) {
      float* slope = state.volumes.at(plan.slopes, n) + label * voxels + at;
      double* sums = &head.runSums[perRun * run + each * label];
      if (batch) {
        logitsOf(state, n, label, at, count, slope, scratch.pointers.data());
        if (entropy) {
          k.entropy_terms(count, slope, batch->labels[n] + at, head.region(label), head.loss.ignored, sums);
        } else {
          k.sigmoid(count, slope);
          leaveOut(state, batch->labels[n] + at, count, slope);
          k.dice_terms(count, slope, batch->labels[n] + at, head.region(label), sums);
        }
      } else {
        std::fill(slope, slope + count, 1.0f);
        sums[3] = count;
      }
      for (int c = 0; c < last.width; c++)
        channelSums(count, slope, state.volumes.at(last.activation, n) + c * voxels + at,
                    sums + kept.terms + kept.perChannel * c);
    }
  });
  head.sums.assign(perRun * state.volumes.batch, 0.0);
  for (int run = 0; run < count; run++)
    for (size_t i = 0; i < perRun; i++) head.sums[run / runs * perRun + i] += head.runSums[run * perRun + i];
}

}  // namespace

// With q = p (1 - p), the signed slope is q outside the target and -q inside, and dDice/dLogit = q * (t*a + b) with a =
// -2/S, b = 2I/S^2 (I the sum of p t, S that of p and t): b times a positive slope, -(a + b) times a negative slope. The
// gradient of the cross-entropy is p - t.
float headLoss(State& state, const Batch& batch) {
  headTerms(state, &batch);
  Head& head = state.head;
  const int labels = state.plan.shape.labels, cases = batch.size();
  const Sums kept(head.loss.entropy, state.plan.layers.back().width);
  const auto sumsOf = [&](int n, int k) { return &head.sums[kept.each * (n * labels + k)]; };
  const int together = head.loss.batchDice ? cases : 1;
  const int ratios = labels * (cases / together);
  double loss = 1;
  for (int k = 0; k < labels; k++)
    for (int first = 0; first < cases; first += together) {
      double both = 0, total = kSmooth;
      for (int n = first; n < first + together; n++) {
        const double* sums = sumsOf(n, k);
        both += sums[0];
        total += sums[1] + sums[2];
      }
      loss -= 2 * both / total / ratios;
      const double b = 2 * both / (total * total) / ratios;
      for (int n = first; n < first + together; n++) head.slopes[n * labels + k] = {b, 2 / total / ratios - b};
    }
  if (!head.loss.entropy) return (float)loss;
  double entropy = 0, count = 0;
  for (int n = 0; n < cases; n++)
    for (int k = 0; k < labels; k++) {
      entropy += sumsOf(n, k)[6];
      count += sumsOf(n, k)[7];
    }
  head.entropySlope = count > 0 ? 1 / count : 0;
  return (float)(loss + entropy * head.entropySlope);
}

// The gradient of the weights of the head, and the sums over the gradient of the last layer for its batch norm.
void headBackward(State& state, bool synflow) {
  const Plan& plan = state.plan;
  Head& head = state.head;
  Channels& channels = state.channels;
  const Layer& last = plan.layers.back();
  const int labels = plan.shape.labels, width = last.width;
  const bool entropy = hasEntropy(state, synflow);
  const Sums kept(entropy, width);
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
      const double* sums = &head.sums[kept.each * (n * labels + k)];
      const Head::Slopes slopes = head.slopes[n * labels + k];
      double sum = slopes.above * sums[3] + slopes.below * sums[4];  // of dLoss/dLogit
      if (entropy) sum += head.entropySlope * sums[5];
      gradient[plan.headBias + k] += (float)sum;
      for (int c = 0; c < width; c++) {
        const double* products = sums + kept.terms + kept.perChannel * c;
        double product = slopes.above * products[0] + slopes.below * products[1];  // with the activation
        if (entropy) product += head.entropySlope * products[2];
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
  const bool entropy = hasEntropy(state, synflow);
  for (int k = 0; k < plan.shape.labels; k++) {
    const double weight = weightIn(synflow, w[(size_t)k * plan.layers.back().width]);
    const Head::Slopes slopes = state.head.slopes[caseIndex * plan.shape.labels + k];
    const float* stored = state.volumes.at(plan.slopes, caseIndex) + k * plan.shape.size.voxels() + at;
    const float above = (float)(weight * slopes.above), below = (float)(weight * slopes.below);
    if (entropy)
      state.kernels.error_gradient(count, stored, above, below, (float)(weight * state.head.entropySlope), k == 0,
                                   gradient);
    else
      state.kernels.head_gradient(count, stored, above, below, k == 0, gradient);
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
      leaveOut(state, batch.labels[n] + at, count, p);
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
