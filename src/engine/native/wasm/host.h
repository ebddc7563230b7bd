// The functions that JavaScript provides: the imports of the WebAssembly module.
#pragma once

#define LUNET_IMPORT(name) __attribute__((import_module("lunet"), import_name(name)))

extern "C" {
// Throws a JavaScript exception; afterwards the instance cannot be used any more.
LUNET_IMPORT("outOfMemory") [[noreturn]] void lunet_host_out_of_memory();
// Whether the current call must end.
LUNET_IMPORT("interrupted") int lunet_host_interrupted();
// Milliseconds since a fixed point in time.
LUNET_IMPORT("now") double lunet_host_now();
}
