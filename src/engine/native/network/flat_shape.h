// The shape of a network as a list of numbers, in which JavaScript passes it.
#pragma once
#include "network/plan.h"

namespace lunet {

// Reads [inputChannels, labels, skips, D, H, W, maxBatch, levels, layers per encoder block, then per decoder block,
// widths of all encoder layers, of all decoder layers (level 0 first), up widths]. Returns false if the list is
// malformed or the volumes exceed the limits of the engine.
bool readShape(const int32_t* numbers, size_t count, Shape& shape);

}  // namespace lunet
