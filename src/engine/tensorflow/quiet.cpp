// load(path, verbose): loads a shared library and discards everything that it prints meanwhile, unless `verbose`.
// TensorFlow prints messages while its libraries are being loaded, before its log level can be set. Returns an error
// text or undefined. logging.cpp suppresses later messages.
#define NAPI_VERSION 8
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

#include <string>

static napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  size_t length = 0;
  napi_get_value_string_utf8(env, arguments[0], nullptr, 0, &length);
  std::string path(length, '\0');
  napi_get_value_string_utf8(env, arguments[0], &path[0], length + 1, &length);
  bool verbose = false;
  napi_get_value_bool(env, arguments[1], &verbose);

  const int saved = verbose ? -1 : dup(2);
  if (saved >= 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    close(nowhere);
  }
  const void* library = dlopen(path.c_str(), RTLD_LAZY);
  if (saved >= 0) {
    dup2(saved, 2);
    close(saved);
  }
  napi_value result;
  if (library)
    napi_get_undefined(env, &result);
  else
    napi_create_string_utf8(env, dlerror(), NAPI_AUTO_LENGTH, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &function);
  napi_set_named_property(env, exports, "load", function);
  return exports;
}
