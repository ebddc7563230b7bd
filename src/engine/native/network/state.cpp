#include "network/state.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "network/pass_tasks.h"

namespace lunet {

namespace {

size_t floatsOfFolded(const Plan& plan, const Up& up) {
  return up.composed ? 0 : plan.shape.maxBatch * up.outputs * foldedFloats(up);
}

}  // namespace

Parameters::Parameters(const Plan& plan, const float* given, const float* adam)
    : weights(plan.parameters),
      gradient(plan.parameters),
      m(plan.parameters),
      v(plan.parameters),
      forward(plan.packedWeights),
      backward(plan.packedWeights),
      beta1(adam[0]),
      beta2(adam[1]),
      epsilon(adam[2]) {
  std::memcpy(weights.data(), given, plan.parameters * sizeof(float));
  for (const Up& up : plan.ups) foldedUps.push_back(Floats(floatsOfFolded(plan, up)));
}

size_t Parameters::floats(const Plan& plan) {
  size_t floats = 4 * plan.parameters + 2 * plan.packedWeights;
  for (const Up& up : plan.ups) floats += floatsOfFolded(plan, up);
  return floats;
}

void Volumes::allocate(const Plan& plan) {
  const size_t needed = floats(plan);
  arena_ = Floats();  // freed first, so that there are never two arenas
  arena_ = takeSpare();
  if (arena_.size() >= needed && arena_.size() / 2 <= needed) return;
  arena_ = Floats();
  // Every volume is written before it is read, so the arena need not be zeroed.
  arena_ = Floats(needed, false);
}

Volumes::~Volumes() { keepSpare(std::move(arena_)); }

Channels::Channels(int count, int maxBatch) : count(count), mean(count), variance(count) {
  const size_t all = (size_t)maxBatch * count;
  for (auto* values : {&scale, &shift, &a, &b, &c, &masks}) values->resize(all);
  for (auto* values : {&sum, &squares, &gradientSum, &gradientProduct}) values->resize(all);
}

bool Channels::overflowed(int caseIndex) const {
  for (size_t i = at(caseIndex, 0); i < at(caseIndex, count); i++)
    if (!std::isfinite(sum[i]) || std::isnan(squares[i])) return true;
  return false;
}

void SlotSums::addUp(int batch, int perCase, const Channels& all, int channelAt, std::vector<double>& first,
                     std::vector<double>& second) {
  for (int n = 0; n < batch; n++)
    for (int c = 0; c < channels_; c++) {
      double sums[2] = {0, 0};
      for (int i = 0; i < perCase; i++) {
        const double* sum = at(n * perCase + i, c);
        sums[0] += sum[0];
        sums[1] += sum[1];
      }
      first[all.at(n, channelAt + c)] = sums[0];
      second[all.at(n, channelAt + c)] = sums[1];
    }
}

void Workspace::reserve(const Room& room) {
  const auto grow = [](Floats& floats, size_t count) {
    if (floats.size() >= count) return;
    floats = Floats();  // freed first, so that both are never allocated
    floats = Floats(count);
  };
  for (Scratch& each : scratch) {
    grow(each.packed, room.packed);
    grow(each.results, room.results);
    grow(each.raw, room.raw);
    if (each.pointers.size() < room.pointers) each.pointers.resize(room.pointers);
  }
  grow(weightSums, room.weightSums);
  grow(composed, room.composed);
}

size_t Workspace::bytes() const {
  size_t floats = weightSums.size() + composed.size(), pointers = 0;
  for (const Scratch& each : scratch) {
    floats += each.packed.size() + each.results.size() + each.raw.size();
    pointers += each.pointers.size();
  }
  return sizeof(float) * floats + sizeof(float*) * pointers;
}

Head::Head(const Shape& shape, const uint32_t* targets, const Loss& loss)
    : loss(loss), regions(shape.labels), slopes((size_t)shape.labels * shape.maxBatch) {
  for (int k = 0; k < shape.labels; k++)
    for (int label = 0; label < 256; label++)
      if (targets[label] >> k & 1u) regions[k].push_back((uint8_t)label);
}

State::State(const Shape& shape, const float* weights, const uint32_t* targets, const Loss& loss, const float* adam,
             const Kernels& kernels, int threads)
    : kernels(kernels),
      threads(threads),
      meter(threads),
      plan(shape, false),
      parameters(plan, weights, adam),
      volumes(shape.maxBatch),
      channels(plan.channels, shape.maxBatch),
      workspace(threads),
      head(shape, targets, loss) {}

void State::prepare(bool training, int batch) {
  volumes.batch = batch;
  const bool fits = !volumes.empty() && (plan.training || !training);
  if (!fits && plan.training != training) plan = Plan(plan.shape, training);
  constexpr size_t kBeyondCaches = 16 << 20;  // floats
  volumes.pastCaches = plan.arena * batch >= kBeyondCaches;
  if (!fits) volumes.allocate(plan);
}

}  // namespace lunet
