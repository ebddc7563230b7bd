// Handles of networks for JavaScript, and computing calls: each runs on a thread of Node's pool and settles a promise.
#pragma once
#include <functional>
#include <memory>
#include <new>
#include <string>

#include "network/network.h"
#include "node/values.h"

namespace lunet {

struct Handle {
  std::unique_ptr<Network> network;
  bool busy = false;
};

inline Handle& handleOf(napi_env env, napi_value value) {
  Handle* handle = nullptr;
  check(env, napi_get_value_external(env, value, (void**)&handle), "not a network");
  if (!handle->network) fail(env, "native engine: the network has been disposed");
  return *handle;
}

// A running call.
struct Call {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  napi_ref keep = nullptr;  // keeps the memory of the arguments alive
  Handle* handle = nullptr;  // none, if it is not about a network
  std::function<void()> compute;
  std::function<napi_value(napi_env)> result;
  std::string error;
};

inline void execute(napi_env, void* data) {
  Call& call = *static_cast<Call*>(data);
  try {
    call.compute();
    if (call.handle && call.handle->network->cut()) call.error = "interrupted";
  } catch (const std::bad_alloc&) {
    call.error = "out of memory";
  } catch (const std::exception& error) {
    call.error = error.what();
  }
}

inline void complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<Call> call(static_cast<Call*>(data));
  if (call->handle) {
    call->handle->busy = false;
    call->handle->network->resume();
  }
  napi_value value = nullptr;
  if (call->error.empty()) {
    value = call->result(env);
    napi_resolve_deferred(env, call->deferred, value);
  } else {
    napi_value message;
    napi_create_string_utf8(env, call->error.c_str(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &value);
    napi_reject_deferred(env, call->deferred, value);
  }
  napi_delete_reference(env, call->keep);
  napi_delete_async_work(env, call->work);
}

// Starts compute() on another thread; `arguments` stay alive until the promise is settled.
inline napi_value start(napi_env env, const Arguments& arguments, Handle* handle, std::function<void()> compute,
                        std::function<napi_value(napi_env)> result) {
  if (handle && handle->busy) fail(env, "native engine: the network is busy; await one call before the next");
  auto call = std::make_unique<Call>();
  call->handle = handle;
  call->compute = std::move(compute);
  call->result = std::move(result);
  napi_value promise, name, kept;
  check(env, napi_create_array_with_length(env, arguments.count, &kept), "arguments");
  for (size_t i = 0; i < arguments.count; i++) napi_set_element(env, kept, (uint32_t)i, arguments.at[i]);
  check(env, napi_create_reference(env, kept, 1, &call->keep), "reference");
  check(env, napi_create_promise(env, &call->deferred, &promise), "promise");
  check(env, napi_create_string_utf8(env, "lunet", NAPI_AUTO_LENGTH, &name), "name");
  check(env, napi_create_async_work(env, nullptr, name, execute, complete, call.get(), &call->work), "work");
  if (handle) handle->busy = true;
  check(env, napi_queue_async_work(env, call->work), "queue");
  call.release();
  return promise;
}

}  // namespace lunet
