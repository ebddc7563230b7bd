// The loops of augmentation compiled for the platform's baseline; ../sources.ts gives this file its compiler flags.
#include "augmentation/steps_table.h"

namespace lunet {
extern const Steps steps_baseline;
const Steps steps_baseline = steps("baseline");
}  // namespace lunet
