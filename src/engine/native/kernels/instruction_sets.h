#pragma once
#include <vector>

#include "kernels/kernels.h"

namespace lunet {

// The kernels that run on this machine, the fastest first.
std::vector<const Kernels*> instructionSets();

// The kernels of this name, or the fastest for an empty name; nullptr if they do not run on this machine.
const Kernels* instructionSet(const char* name);

}  // namespace lunet
