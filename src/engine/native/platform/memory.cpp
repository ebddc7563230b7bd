#include "platform/memory.h"

#include "platform/platform.h"

#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef _WIN32
#include <malloc.h>
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lunet {

namespace {

std::atomic<Floats*> spare{nullptr};

#ifdef MADV_HUGEPAGE
constexpr bool kHasLargePages = true;
#else
constexpr bool kHasLargePages = false;
#endif

// Null where there is no memory.
void* allocateAligned(size_t alignment, size_t bytes) {
#ifdef _WIN32
  return _aligned_malloc(bytes, alignment);
#else
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
#endif
}

void freeAligned(void* memory) {
#ifdef _WIN32
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace

Floats takeSpare() {
  Floats* const kept = spare.exchange(nullptr);
  if (!kept) return Floats();
  Floats arena = std::move(*kept);
  delete kept;
  return arena;
}

void keepSpare(Floats arena) { delete spare.exchange(new Floats(std::move(arena))); }

Floats::Floats(size_t count, bool zeroed) : size_(count) {
  if (count == 0) return;
  if (count > SIZE_MAX / sizeof(float) - 64) outOfMemory();
  // A slab covers more small pages than the processor's table of addresses (TLB) has entries; with large pages it fits.
  constexpr size_t kLargePage = 2 << 20;
  size_t bytes = count * sizeof(float);
  const bool large = kHasLargePages && bytes >= kLargePage / 4;
  if (large) bytes = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* memory = allocateAligned(large ? kLargePage : 64, bytes);
  if (!memory) outOfMemory();
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

Floats::~Floats() { freeAligned(data_); }

}  // namespace lunet
