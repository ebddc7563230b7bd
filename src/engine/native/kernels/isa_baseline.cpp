// The kernels compiled for the platform's baseline; scripts/build-native.js gives this file its compiler flags.
#include "kernels/kernels_table.h"

namespace lunet {
extern const Kernels kernels_baseline;
const Kernels kernels_baseline = table("baseline");
}  // namespace lunet
