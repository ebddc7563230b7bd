// Chooses kernels at run time: those that processor and operating system support, the widest first.
#include "kernels/instruction_sets.h"

#include <cstring>

#if defined(LUNET_X86)
#include <cpuid.h>
#endif

namespace lunet {

#if defined(LUNET_X86)
namespace {

constexpr bool has(unsigned long long word, int bit) { return word >> bit & 1; }

// The states that the operating system keeps for each thread: XGETBV's register 0.
unsigned long long keptStates() {
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (unsigned long long)high << 32 | low;
}

// What the processor has and the operating system keeps the registers of (Intel's manual, volume 1, chapters 14.3 and
// 15.2). Asked by hand, since __builtin_cpu_supports reads a table that some C++ runtimes never fill in.
struct Supported {
  bool avx2 = false, avx512 = false;

  Supported() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, 27)) return;  // OSXSAVE: there is XGETBV
    const bool fma = has(c, 12), avx = has(c, 28);
    const unsigned long long kept = keptStates(), kVectors = 0x6, kWideVectors = 0xe6;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    avx2 = avx && fma && has(b, 5) && (kept & kVectors) == kVectors;
    const bool foundation = has(b, 16), dq = has(b, 17), bw = has(b, 30), vl = has(b, 31);
    avx512 = avx2 && foundation && dq && bw && vl && (kept & kWideVectors) == kWideVectors;
  }
};

}  // namespace

extern const Kernels kernels_avx512;
extern const Kernels kernels_avx2;
#endif
extern const Kernels kernels_baseline;

std::vector<const Kernels*> instructionSets() {
  std::vector<const Kernels*> all;
#if defined(LUNET_X86)
  const Supported supported;
  if (supported.avx512) all.push_back(&kernels_avx512);
  if (supported.avx2) all.push_back(&kernels_avx2);
#endif
  all.push_back(&kernels_baseline);
  return all;
}

const Kernels* instructionSet(const char* name) {
  for (const Kernels* kernels : instructionSets())
    if (!*name || std::strcmp(kernels->name, name) == 0) return kernels;
  return nullptr;
}

}  // namespace lunet
