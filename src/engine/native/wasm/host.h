// What the engine asks of JavaScript: the imports of the WebAssembly module.
#pragma once

#define LUNET_IMPORT(name) __attribute__((import_module("lunet"), import_name(name)))

extern "C" {
// Throws an exception of JavaScript; the instance cannot be used after it.
LUNET_IMPORT("outOfMemory") [[noreturn]] void lunet_host_out_of_memory();
// Whether the call in progress is to end.
LUNET_IMPORT("interrupted") int lunet_host_interrupted();
// Milliseconds since some moment.
LUNET_IMPORT("now") double lunet_host_now();
}
