// The kernels compiled for avx512; scripts/build-native.js gives this file its compiler flags.
#include "kernels/kernels_table.h"

namespace lunet {
extern const Kernels kernels_avx512;
const Kernels kernels_avx512 = table("avx512");
}  // namespace lunet
