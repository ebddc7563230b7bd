// Memory for floats, aligned for vectors.
#pragma once
#include <cstddef>

namespace lunet {

// 64-byte aligned floats. Calls outOfMemory() if they cannot be allocated.
class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t count, bool zeroed = true);
  Floats(Floats&& other) noexcept;
  Floats& operator=(Floats&& other) noexcept;
  ~Floats();
  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  float* data_ = nullptr;
  size_t size_ = 0;
};

// The arena of the network that was freed last. Pruning loads a slightly smaller network after every step; fresh memory
// would be slow, since the system clears every page.
Floats takeSpare();
void keepSpare(Floats arena);

}  // namespace lunet
