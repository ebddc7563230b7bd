// Functions that differ between WebAssembly and systems with exceptions, clocks and threads. A build contains either
// platform.cpp or wasm/host.cpp.
#pragma once
#ifdef __wasm__
#include "platform/one_thread.h"
#else
#include "platform/threads.h"
#endif

namespace lunet {

// Ends the call: throws std::bad_alloc, or a JavaScript exception.
[[noreturn]] void outOfMemory();

// Seconds since some moment.
double now();

}  // namespace lunet
