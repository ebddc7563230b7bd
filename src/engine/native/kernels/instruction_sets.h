#pragma once
#include <vector>

#include "kernels/kernels.h"

namespace lunet {

// The kernels that run on this machine, the fastest first.
std::vector<const Kernels*> instructionSets();

// Those of that name, or the fastest for an empty name; nullptr if they do not run here.
const Kernels* instructionSet(const char* name);

}  // namespace lunet
