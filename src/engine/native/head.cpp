// The head: 1x1x1 convolution, sigmoid, soft Dice loss over batch and space, and their gradient. For each label the
// loss leaves a volume of probabilities, which the backward pass turns into the gradient of the logits. The last
// layer's gradient is a mixture of those (see mixGradient), so it is never stored.
#include <cmath>
#include <cstring>

#include "network.h"

namespace lunet {

namespace {
constexpr int kRun = 4096;  // voxels that a task works on
constexpr double kSmooth = 1e-7;

int runsOf(size_t voxels) { return (int)((voxels + kRun - 1) / kRun); }
}  // namespace

// Calls run(case, first voxel, voxels, scratch of one run, slot) for all runs, spread over the threads.
template <typename Run>
void Network::eachHeadRun(int batch, Run run) {
  const size_t voxels = shape_.size.voxels();
  const int runs = runsOf(voxels);
  reserve(kRun, 0, 0, plan_->layers.back().width);
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

float Network::headLoss(const Batch& batch) {
  const int labels = shape_.labels, runs = runsOf(shape_.size.voxels());
  slots_.assign((size_t)3 * labels * runs * batch_, 0.0);
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch& scratch, int slot) {
    for (int k = 0; k < labels; k++) {
      float* p = volume(plan_->logits, n) + k * shape_.size.voxels() + at;
      headLogits(n, k, at, count, p, scratch.pointers.data());
      k_.sigmoid(count, p);
      k_.dice_sums(count, p, batch.labels[n] + at, targets_.data(), k, &slots_[3 * ((size_t)slot * labels + k)]);
    }
  });
  std::fill(dice_.begin(), dice_.end(), 0.0);
  for (int slot = 0; slot < runs * batch_; slot++)
    for (int i = 0; i < 3 * labels; i++) dice_[i] += slots_[(size_t)slot * 3 * labels + i];
  double loss = 1;
  for (int k = 0; k < labels; k++) loss -= 2 * dice_[3 * k] / (dice_[3 * k + 1] + dice_[3 * k + 2] + kSmooth) / labels;
  return (float)loss;
}

// Gradient of the logits and the head's weights, and the sums over the last layer's gradient that its batch norm needs.
void Network::headBackward(const Batch& batch, bool synflow) {
  const Layer& last = plan_->layers.back();
  const int labels = shape_.labels, width = last.width, runs = runsOf(shape_.size.voxels());
  const size_t voxels = shape_.size.voxels();
  const float* w = weights_.data() + plan_->headWeight;
  // Per run and label: the sum of d loss / d logit and, for each channel, of its product with the activation.
  const size_t perRun = (size_t)labels * (width + 1);
  slots_.assign(perRun * runs * batch_, 0.0);
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch&, int slot) {
    for (int k = 0; k < labels; k++) {
      float* d = volume(plan_->logits, n) + k * voxels + at;
      const double total = dice_[3 * k + 1] + dice_[3 * k + 2] + kSmooth;
      if (synflow)
        std::fill(d, d + count, 1.0f);
      else
        k_.dice_gradient(count, d, batch.labels[n] + at, targets_.data(), k, (float)(-2 / total / labels),
                         (float)(2 * dice_[3 * k] / (total * total) / labels));
      double* sums = &slots_[perRun * slot + k * (width + 1)];
      for (int c = 0; c < width; c++) {
        double both[2] = {0, 0};
        k_.sums(count, d, volume(last.activation, n) + c * voxels + at, both);
        sums[0] = both[0];
        sums[1 + c] = both[1];
      }
    }
  });
  for (int n = 0; n < batch_; n++) {
    std::vector<double> total(perRun, 0.0);
    for (int run = 0; run < runs; run++)
      for (size_t i = 0; i < perRun; i++) total[i] += slots_[perRun * (n * runs + run) + i];
    const size_t at = (size_t)n * plan_->channels + last.channelAt;
    for (int c = 0; c < width; c++) gradientSum_[at + c] = gradientProduct_[at + c] = 0;
    for (int k = 0; k < labels; k++) {
      const double* sums = &total[k * (width + 1)];
      gradient_.data()[plan_->headBias + k] += (float)sums[0];
      for (int c = 0; c < width; c++) {
        const double weight = synflow ? std::fabs(w[k * width + c]) : w[k * width + c];
        gradientSum_[at + c] += weight * sums[0];
        gradientProduct_[at + c] += weight * sums[1 + c];
        gradient_.data()[plan_->headWeight + (size_t)k * width + c] +=
            (float)(sums[1 + c] * scale_[at + c] + sums[0] * shift_[at + c]);
      }
    }
  }
}

// Writes `count` voxels, from `at` on, of the gradient of the last layer's output: the labels' gradients weighted.
void Network::mixGradient(int caseIndex, int channel, size_t at, int count, bool synflow, float* gradient) {
  const float* w = weights_.data() + plan_->headWeight + channel;
  for (int k = 0; k < shape_.labels; k++) {
    const float weight = w[(size_t)k * plan_->layers.back().width];
    k_.head_gradient(count, volume(plan_->logits, caseIndex) + k * shape_.size.voxels() + at,
                     synflow ? std::fabs(weight) : weight, k == 0, gradient);
  }
}

void Network::evaluate(const Batch& batch, double* overlaps) {
  prepare(false, batch);
  forward(batch, nullptr, Mode::running);
  const int labels = shape_.labels, runs = runsOf(shape_.size.voxels());
  slots_.assign((size_t)3 * labels * runs * batch_, 0.0);
  eachHeadRun(batch_, [&](int n, size_t at, int count, Scratch& scratch, int slot) {
    float* p = scratch.packed.data();
    for (int k = 0; k < labels; k++) {
      headLogits(n, k, at, count, p, scratch.pointers.data());
      k_.sigmoid(count, p);
      k_.overlap(count, p, batch.labels[n] + at, targets_.data(), k, &slots_[3 * ((size_t)slot * labels + k)]);
    }
  });
  std::fill(overlaps, overlaps + (size_t)3 * labels * batch_, 0.0);
  for (int slot = 0; slot < runs * batch_; slot++)
    for (int i = 0; i < 3 * labels; i++)
      overlaps[(size_t)(slot / runs) * 3 * labels + i] += slots_[(size_t)slot * 3 * labels + i];
}

void Network::predict(const Batch& batch, bool running, float* probabilities) {
  prepare(false, batch);
  forward(batch, nullptr, running ? Mode::running : Mode::statistics);
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
