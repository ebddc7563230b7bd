#include "wasm/host.h"

#include <cstdlib>
#include <new>

#include "platform/platform.h"

namespace lunet {

void outOfMemory() { lunet_host_out_of_memory(); }
double now() { return lunet_host_now() / 1000; }
bool hostInterrupts() { return lunet_host_interrupted() != 0; }

}  // namespace lunet

// Replaces functions of the standard library that end the program, because they print and so pull in all of printf.
void std::__libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
extern "C" void __cxa_pure_virtual() { __builtin_trap(); }
void* operator new(size_t bytes) {
  if (void* memory = std::malloc(bytes)) return memory;
  lunet::outOfMemory();
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return std::malloc(bytes); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  void* memory = nullptr;
  if (posix_memalign(&memory, (size_t)alignment, bytes) == 0) return memory;
  lunet::outOfMemory();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
