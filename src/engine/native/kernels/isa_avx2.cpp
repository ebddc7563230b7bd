// The kernels compiled for avx2; scripts/build-native.js gives this file its compiler flags.
#include "kernels/kernels_table.h"

namespace lunet {
extern const Kernels kernels_avx2;
const Kernels kernels_avx2 = table("avx2");
}  // namespace lunet
