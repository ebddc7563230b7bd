// What systems with exceptions, clocks and threads do in one way and WebAssembly in another: see platform.cpp and
// wasm/host.cpp, of which a build has one.
#pragma once
#ifdef __wasm__
#include "platform/one_thread.h"
#else
#include "platform/threads.h"
#endif

namespace lunet {

// Ends the call: throws std::bad_alloc, or an exception of JavaScript.
[[noreturn]] void outOfMemory();

// Seconds since some moment.
double now();

}  // namespace lunet
