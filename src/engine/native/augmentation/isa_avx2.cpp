// The loops of augmentation compiled for avx2; ../sources.ts gives this file its compiler flags.
#include "augmentation/steps_table.h"

namespace lunet {
extern const Steps steps_avx2;
const Steps steps_avx2 = steps("avx2");
}  // namespace lunet
