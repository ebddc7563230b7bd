#include "platform/platform.h"

#include <chrono>
#include <new>

namespace lunet {

void outOfMemory() { throw std::bad_alloc(); }

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace lunet
