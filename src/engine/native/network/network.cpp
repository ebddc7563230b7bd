// What a network can be asked for, and the memory behind it.
#include "network/network.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

namespace lunet {

namespace {

// The arena of the network that was freed last. Pruning loads a slightly smaller network after every step; fresh memory
// would cost it more than the step's bookkeeping, since the system clears every page.
std::mutex spareMutex;
Floats spare;

size_t arenaFloats(const Plan& plan) { return plan.arena * plan.shape.maxBatch + 16; }

}  // namespace

Floats::Floats(size_t count, bool zeroed) : size_(count) {
  if (count == 0) return;
  if (count > SIZE_MAX / sizeof(float) - 64) throw std::bad_alloc();
  void* memory = nullptr;
  // A slab lies on more small pages than the processor's table of addresses (TLB) has entries for; large pages are few.
  constexpr size_t kLargePage = 2 << 20;
  size_t bytes = count * sizeof(float);
  const bool large = bytes >= kLargePage / 4;
  if (large) bytes = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  if (posix_memalign(&memory, large ? kLargePage : 64, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  data_ = static_cast<float*>(memory);
  if (zeroed) std::memset(data_, 0, count * sizeof(float));
}

Floats::Floats(Floats&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Floats& Floats::operator=(Floats&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Floats::~Floats() { std::free(data_); }

Network::Network(const Shape& shape, const float* weights, const uint32_t* targets, const float* adam,
                 const Kernels& kernels, int threads)
    : meter(threads),
      shape_(shape),
      k_(kernels),
      threads_(threads),
      plan_(std::make_unique<Plan>(shape, false)),
      regions_(shape.labels),
      beta1_(adam[0]),
      beta2_(adam[1]),
      epsilon_(adam[2]) {
  const size_t parameters = plan_->parameters;
  weights_ = Floats(parameters);
  gradient_ = Floats(parameters);
  m_ = Floats(parameters);
  v_ = Floats(parameters);
  forwardWeights_ = Floats(plan_->packedWeights);
  backwardWeights_ = Floats(plan_->packedWeights);
  std::memcpy(weights_.data(), weights, parameters * sizeof(float));
  const size_t perChannel = (size_t)shape.maxBatch * plan_->channels;
  for (auto* values : {&scale_, &shift_, &a_, &b_, &c_, &masks_}) values->resize(perChannel);
  for (auto* values : {&sum_, &squares_, &gradientSum_, &gradientProduct_}) values->resize(perChannel);
  mean_.resize(plan_->channels);
  variance_.resize(plan_->channels);
  headSlopes_.resize(shape.labels);
  for (int k = 0; k < shape.labels; k++)
    for (int label = 0; label < 256; label++)
      if (targets[label] >> k & 1u) regions_[k].push_back((uint8_t)label);
  for (const Up& up : plan_->ups)
    foldedUps_.push_back(Floats(up.composed ? 0 : (size_t)shape.maxBatch * up.outputs * foldedFloats(up)));
  scratch_.resize(threads);
}

size_t Network::estimate(const Shape& shape, int threads) {
  const Plan plan(shape, true);
  Room room = HeadPass(plan).room;
  for (const Layer& layer : plan.layers) {
    room.widen(ForwardPass(plan, layer, shape.maxBatch).room);
    room.widen(BackwardPass(plan, layer, shape.maxBatch).room);
  }
  size_t folded = 0;
  for (const Up& up : plan.ups) {
    room.widen(up.composed ? ComposedPass(plan, up, shape.maxBatch).room : UpPass(plan, up, shape.maxBatch).room);
    if (!up.composed) folded += (size_t)shape.maxBatch * up.outputs * foldedFloats(up);
  }
  return sizeof(float) * (arenaFloats(plan) + folded + 4 * plan.parameters + 2 * plan.packedWeights) +
         room.bytes(threads);
}

size_t Network::bytes() const {
  size_t floats = arena_.size() + 4 * plan_->parameters + 2 * plan_->packedWeights + partial_.size(), pointers = 0;
  for (const Floats& folded : foldedUps_) floats += folded.size();
  for (const Scratch& scratch : scratch_) {
    floats += scratch.packed.size() + scratch.results.size() + scratch.raw.size();
    pointers += scratch.pointers.size();
  }
  return sizeof(float) * floats + sizeof(float*) * pointers;
}

// Makes sure that the arena fits what follows: inference alone takes less memory than training.
void Network::prepare(bool training, const Batch& batch) {
  batch_ = batch.size();
  const bool fits = arena_.size() > 0 && (plan_->training || !training);
  if (!fits && plan_->training != training) plan_ = std::make_unique<Plan>(shape_, training);
  constexpr size_t kBeyondCaches = 16 << 20;  // floats
  pastCaches_ = plan_->arena * batch_ >= kBeyondCaches;
  if (fits) return;
  // Every volume is written before it is read, so an arena needs no zeros.
  const size_t needed = arenaFloats(*plan_);
  arena_ = Floats();
  {
    std::lock_guard<std::mutex> lock(spareMutex);
    arena_ = std::move(spare);
    spare = Floats();
  }
  if (arena_.size() >= needed && arena_.size() / 2 <= needed) return;
  arena_ = Floats();
  arena_ = Floats(needed, false);
}

Network::~Network() {
  std::lock_guard<std::mutex> lock(spareMutex);
  spare = std::move(arena_);
}

float* Network::volume(const Buffer& buffer, int caseIndex) const {
  return const_cast<Floats&>(arena_).data() + buffer.at * shape_.maxBatch + (size_t)caseIndex * buffer.perCase;
}

// Makes sure that the scratch memory of all threads has the room that a pass needs.
void Network::reserve(const Room& room) {
  const auto grow = [](Floats& floats, size_t count) {
    if (floats.size() >= count) return;
    floats = Floats();  // first, so that never both are held
    floats = Floats(count);
  };
  for (Scratch& scratch : scratch_) {
    grow(scratch.packed, room.packed);
    grow(scratch.results, room.results);
    grow(scratch.raw, room.raw);
    if (scratch.pointers.size() < room.pointers) scratch.pointers.resize(room.pointers);
  }
  grow(partial_, room.partial);
}

// Adds the slots of each case, in their order.
void Network::sumSlots(int perCase, int channels, int channelAt, std::vector<double>& first,
                       std::vector<double>& second) {
  for (int n = 0; n < batch_; n++)
    for (int c = 0; c < channels; c++) {
      double sums[2] = {0, 0};
      for (int i = 0; i < perCase; i++) {
        const double* sum = slot(n * perCase + i, channels, c);
        sums[0] += sum[0];
        sums[1] += sum[1];
      }
      const size_t at = (size_t)n * plan_->channels + channelAt + c;
      first[at] = sums[0];
      second[at] = sums[1];
    }
}

// Brings the convolutions' weights into the kernels' order, for the forward pass and, turned, for the backward pass.
void Network::packWeights(bool absolute, bool backward) {
  const float* w = weights_.data();
  const auto value = [=](size_t at) { return absolute ? std::fabs(w[at]) : w[at]; };
  threads_.run((int)plan_->layers.size(), [&](int task, int) {
    const Layer& layer = plan_->layers[task];
    const Size size = plan_->sizeAt(layer.level);
    const size_t direct = layer.weight + (size_t)layer.firstDirect * 27;
    Convolution(k_, size, layer.winograd, layer.direct(), layer.width)
        .packWeights(forwardWeights_.data() + layer.packedWeight,
                     [&](int o, int c, int t) { return value(direct + ((size_t)o * layer.inputs + c) * 27 + t); });
    if (!backward) return;
    Convolution(k_, size, layer.winograd, layer.width, layer.direct())
        .packWeights(backwardWeights_.data() + layer.packedWeight,
                     [&](int o, int c, int t) { return value(direct + ((size_t)c * layer.inputs + o) * 27 + 26 - t); });
  });
  for (const Up& up : plan_->ups) {
    if (up.composed) composeWeights(up, absolute, backward);
    if (up.composed || !backward) continue;
    Convolution(k_, 1, 8 * up.outputs, up.inputs)
        .packWeights(backwardWeights_.data() + up.packedWeight, [&](int c, int position, int) {
          return value(up.weight + (size_t)c * 8 * up.outputs + position);
        });
  }
}

float Network::gradients(const Batch& batch, const float* masks) {
  const Mode mode = masks ? Mode::training : Mode::running;
  prepare(true, batch);
  forward(batch, masks, mode, true);
  const float loss = headLoss(batch);
  backward(batch, mode);
  return loss;
}

float Network::step(const Batch& batch, const float* masks, float learningRate) {
  const float loss = gradients(batch, masks);
  if (std::isfinite(loss)) update(learningRate);
  return loss;
}

void Network::synflow() {
  const std::vector<float> ones((size_t)shape_.inputChannels * shape_.size.voxels(), 1.0f);
  const Batch batch{{ones.data()}, {nullptr}};
  prepare(true, batch);
  forward(batch, nullptr, Mode::synflow, true);
  backward(batch, Mode::synflow);
}

void Network::activationSums(const Batch& batch, const float* masks, bool withGradients, double* sum, double* squares,
                             double* products) {
  if (withGradients) {
    gradients(batch, masks);
  } else {
    prepare(false, batch);
    forward(batch, masks, masks ? Mode::training : Mode::running, false);
  }
  const size_t count = (size_t)batch_ * plan_->channels;
  for (size_t i = 0; i < count; i++) {
    sum[i] = sum_[i];
    squares[i] = squares_[i];
    // The gradient before the ReLU is a*g + b*activation + c, as in backward.cpp, so its product needs no further pass.
    if (withGradients) products[i] = a_[i] * gradientProduct_[i] + b_[i] * squares_[i] + c_[i] * sum_[i];
  }
}

}  // namespace lunet
