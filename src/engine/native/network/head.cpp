// The head: 1x1x1 convolution, sigmoid, soft Dice loss over batch and space, and their gradient, in one pass. It leaves
// a volume for each label. The last layer's gradient is computed from these where it is read (see mixGradient), so it
// is never stored.
#include <algorithm>
#include <cmath>

#include "network/network.h"

namespace lunet {

namespace {
constexpr int kRun = HeadPass::kRun;
constexpr int kDiceTerms = 5;
constexpr double kSmooth = 1e-7;

int runsOf(size_t voxels) { return (int)((voxels + kRun - 1) / kRun); }
}  // namespace

// Calls run(case, first voxel, voxels, scratch of one run, slot) for all runs, spread over the threads.
template <typename Run>
void Network::eachHeadRun(int batch, Run run) {
  const size_t voxels = shape_.size.voxels();
  const int runs = runsOf(voxels);
  reserve(HeadPass(*plan_).room);
  threads_.run(batch * runs, [&](int task, int thread) {
    const size_t at = (size_t)(task % runs) * kRun;
    run(task / runs, at, (int)std::min<size_t>(kRun, voxels - at), scratch_[thread], task);
  });
}

void Network::headLogits(int caseIndex, int label, size_t at, int count, float* logits, const float** pointers) const {
  const Layer& last = plan_->layers.back();
  const float* w = weights_.data();
  const size_t coefficients = (size_t)caseIndex * plan_->channels + last.channelAt;
  for (int c = 0; c < last.width; c++) pointers[c] = volume(last.activation, caseIndex) + c * shape_.size.voxels() + at;
  k_.head_logits(count, last.width, pointers, &scale_[coefficients], &shift_[coefficients],
                 w + plan_->headWeight + (size_t)label * last.width, w[plan_->headBias + label], logits);
}

// Goes over the last layer's activation once: leaves a volume of signed slopes for each label and all that loss and
// gradient need to know of it, per case and label in headSums_: the sums of dice_terms, then for each channel those of
// signed_sums. Without a batch (synflow) every slope is 1.
void Network::headTerms(const Batch* batch) {
  const Layer& last = plan_->layers.back();
  const size_t voxels = shape_.size.voxels(), each = kDiceTerms + 2 * last.width, perRun = each * shape_.labels;
  const int runs = runsOf(voxels);
  slots_.assign(perRun * runs * batch_, 0.0);
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch& scratch, int slot) {
    for (int k = 0; k < shape_.labels; k++) {
      float* slope = volume(plan_->slopes, n) + k * voxels + at;
      double* sums = &slots_[perRun * slot + each * k];
      if (batch) {
        headLogits(n, k, at, count, slope, scratch.pointers.data());
        k_.sigmoid(count, slope);
        k_.dice_terms(count, slope, batch->labels[n] + at, regionOf(k), sums);
      } else {
        std::fill(slope, slope + count, 1.0f);
        sums[3] = count;
      }
      for (int c = 0; c < last.width; c++)
        k_.signed_sums(count, slope, volume(last.activation, n) + c * voxels + at, sums + kDiceTerms + 2 * c);
    }
  });
  headSums_.assign(perRun * batch_, 0.0);
  for (int slot = 0; slot < runs * batch_; slot++)
    for (size_t i = 0; i < perRun; i++) headSums_[slot / runs * perRun + i] += slots_[slot * perRun + i];
}

// With q = p (1 - p), the slope that is stored is q off target and -q on target, and dLoss/dLogit = q * (t*a + b) with
// a = -2/S, b = 2I/S^2 (I the sum of p t, S that of p and t): b times a positive slope, -(a + b) times a negative one.
float Network::headLoss(const Batch& batch) {
  headTerms(&batch);
  const int labels = shape_.labels;
  const size_t each = kDiceTerms + 2 * plan_->layers.back().width;
  double loss = 1;
  for (int k = 0; k < labels; k++) {
    double both = 0, total = kSmooth;
    for (int n = 0; n < batch_; n++) {
      const double* sums = &headSums_[each * (n * labels + k)];
      both += sums[0];
      total += sums[1] + sums[2];
    }
    loss -= 2 * both / total / labels;
    const double b = 2 * both / (total * total) / labels;
    headSlopes_[k] = {b, 2 / total / labels - b};
  }
  return (float)loss;
}

// Gradient of the head's weights, and the sums over the last layer's gradient that its batch norm needs.
void Network::headBackward(bool synflow) {
  const Layer& last = plan_->layers.back();
  const int labels = shape_.labels, width = last.width;
  const size_t each = kDiceTerms + 2 * width;
  const float* w = weights_.data() + plan_->headWeight;
  if (synflow) {
    headTerms(nullptr);
    std::fill(headSlopes_.begin(), headSlopes_.end(), Slopes{1, 0});
  }
  for (int n = 0; n < batch_; n++) {
    const size_t at = (size_t)n * plan_->channels + last.channelAt;
    for (int c = 0; c < width; c++) gradientSum_[at + c] = gradientProduct_[at + c] = 0;
    for (int k = 0; k < labels; k++) {
      const double* sums = &headSums_[each * (n * labels + k)];
      const Slopes slopes = headSlopes_[k];
      const double sum = slopes.above * sums[3] + slopes.below * sums[4];  // of dLoss/dLogit
      gradient_.data()[plan_->headBias + k] += (float)sum;
      for (int c = 0; c < width; c++) {
        const double* products = sums + kDiceTerms + 2 * c;
        const double product = slopes.above * products[0] + slopes.below * products[1];  // with the activation
        const double weight = synflow ? std::fabs(w[k * width + c]) : w[k * width + c];
        gradientSum_[at + c] += weight * sum;
        gradientProduct_[at + c] += weight * product;
        gradient_.data()[plan_->headWeight + (size_t)k * width + c] +=
            (float)(product * scale_[at + c] + sum * shift_[at + c]);
      }
    }
  }
}

// Writes `count` voxels, from `at` on, of the gradient of the last layer's output: the labels' gradients weighted.
void Network::mixGradient(int caseIndex, int channel, size_t at, int count, bool synflow, float* gradient) {
  const float* w = weights_.data() + plan_->headWeight + channel;
  for (int k = 0; k < shape_.labels; k++) {
    const float signedWeight = w[(size_t)k * plan_->layers.back().width];
    const double weight = synflow ? std::fabs(signedWeight) : signedWeight;
    k_.head_gradient(count, volume(plan_->slopes, caseIndex) + k * shape_.size.voxels() + at,
                     (float)(weight * headSlopes_[k].above), (float)(weight * headSlopes_[k].below), k == 0, gradient);
  }
}

void Network::evaluate(const Batch& batch, double* overlaps) {
  prepare(false, batch);
  forward(batch, nullptr, Mode::running, false);
  const int labels = shape_.labels, runs = runsOf(shape_.size.voxels());
  slots_.assign((size_t)3 * labels * runs * batch_, 0.0);
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch& scratch, int slot) {
    float* p = scratch.packed.data();
    for (int k = 0; k < labels; k++) {
      double* sums = &slots_[3 * ((size_t)slot * labels + k)];
      headLogits(n, k, at, count, p, scratch.pointers.data());
      const bool finite = std::all_of(p, p + count, [](float logit) { return std::isfinite(logit); });
      k_.sigmoid(count, p);
      k_.overlap(count, p, batch.labels[n] + at, regionOf(k), sums);
      if (!finite) sums[0] = NAN;
    }
  });
  std::fill(overlaps, overlaps + (size_t)3 * labels * batch_, 0.0);
  for (int slot = 0; slot < runs * batch_; slot++)
    for (int i = 0; i < 3 * labels; i++)
      overlaps[(size_t)(slot / runs) * 3 * labels + i] += slots_[(size_t)slot * 3 * labels + i];
  for (int n = 0; n < batch_; n++) {
    double* ofCase = overlaps + (size_t)n * 3 * labels;
    const bool number = std::none_of(ofCase, ofCase + 3 * labels, [](double sum) { return std::isnan(sum); });
    if (!number || overflowed(n)) std::fill_n(ofCase, 3 * labels, NAN);
  }
}

void Network::predict(const Batch& batch, bool running, float* probabilities) {
  prepare(false, batch);
  forward(batch, nullptr, running ? Mode::running : Mode::statistics, false);
  const size_t voxels = shape_.size.voxels();
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch& scratch, int) {
    for (int k = 0; k < shape_.labels; k++) {
      float* p = probabilities + ((size_t)n * shape_.labels + k) * voxels + at;
      headLogits(n, k, at, count, p, scratch.pointers.data());
      k_.sigmoid(count, p);
    }
  });
}

}  // namespace lunet
