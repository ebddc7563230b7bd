// Chooses kernels at run time: what the processor and the operating system support, the widest first.
#include "kernels/instruction_sets.h"

#include <cstring>

namespace lunet {

#if defined(LUNET_X86)
extern const Kernels kernels_avx512;
extern const Kernels kernels_avx2;
#endif
extern const Kernels kernels_baseline;

std::vector<const Kernels*> instructionSets() {
  std::vector<const Kernels*> all;
#if defined(LUNET_X86)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    all.push_back(&kernels_avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&kernels_avx2);
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
