// The loops of augmentation compiled for avx512; ../sources.ts gives this file its compiler flags.
#include "augmentation/steps_table.h"

namespace lunet {
extern const Steps steps_avx512;
const Steps steps_avx512 = steps("avx512");
}  // namespace lunet
