// A network's shape as JavaScript hands it over: a list of numbers.
#pragma once
#include "network/plan.h"

namespace lunet {

// Reads [inputChannels, labels, skips, D, H, W, maxBatch, levels, layers per encoder block, then per decoder block,
// widths of all encoder layers, of all decoder layers (level 0 first), up widths]. False if this is no such list, or
// the volumes are larger than the engine computes.
bool readShape(const int32_t* numbers, size_t count, Shape& shape);

}  // namespace lunet
