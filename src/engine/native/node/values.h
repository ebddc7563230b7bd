// Converts values to and from JavaScript (Node-API); each is checked in one line. Does not use networks.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <string>

namespace lunet {

// Thrown after a JavaScript exception has been set.
struct Thrown {};

[[noreturn]] inline void fail(napi_env env, const std::string& message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, nullptr, message.c_str());
  throw Thrown();
}

inline void check(napi_env env, napi_status status, const char* what) {
  if (status != napi_ok) fail(env, std::string("native engine: ") + what);
}

struct Arguments {
  napi_value at[10];
  size_t count = 10;
  Arguments(napi_env env, napi_callback_info info, size_t expected) {
    check(env, napi_get_cb_info(env, info, &count, at, nullptr, nullptr), "no arguments");
    if (count != expected) fail(env, "native engine: expected " + std::to_string(expected) + " arguments");
  }
};

template <napi_typedarray_type Type>
struct ElementOf;
template <>
struct ElementOf<napi_float32_array> {
  using type = float;
};
template <>
struct ElementOf<napi_float64_array> {
  using type = double;
};
template <>
struct ElementOf<napi_int32_array> {
  using type = int32_t;
};
template <>
struct ElementOf<napi_uint32_array> {
  using type = uint32_t;
};
template <>
struct ElementOf<napi_uint8_array> {
  using type = uint8_t;
};

// The elements of a typed array of exactly this type and length (SIZE_MAX accepts any length and is set to it).
template <napi_typedarray_type Type>
typename ElementOf<Type>::type* array(napi_env env, napi_value value, const char* what, size_t& length) {
  bool is = false;
  check(env, napi_is_typedarray(env, value, &is), what);
  napi_typedarray_type type;
  size_t found = 0;
  void* data = nullptr;
  if (!is || napi_get_typedarray_info(env, value, &type, &found, &data, nullptr, nullptr) != napi_ok || type != Type)
    fail(env, std::string("native engine: ") + what + " has the wrong type");
  if (length != SIZE_MAX && found != length)
    fail(env, std::string("native engine: ") + what + " has " + std::to_string(found) + " elements, expected " +
                  std::to_string(length));
  length = found;
  return static_cast<typename ElementOf<Type>::type*>(data);
}

template <napi_typedarray_type Type>
typename ElementOf<Type>::type* arrayOf(napi_env env, napi_value value, const char* what, size_t length) {
  return array<Type>(env, value, what, length);
}

inline double number(napi_env env, napi_value value, const char* what) {
  double result = 0;
  check(env, napi_get_value_double(env, value, &result), what);
  return result;
}

inline bool flag(napi_env env, napi_value value, const char* what) {
  bool result = false;
  check(env, napi_get_value_bool(env, value, &result), what);
  return result;
}

inline std::string text(napi_env env, napi_value value, const char* what) {
  char buffer[64];
  size_t length = 0;
  check(env, napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length), what);
  return std::string(buffer, length);
}

inline napi_value numberValue(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

// A new typed array; `data` is set to its memory.
template <napi_typedarray_type Type>
inline napi_value newArray(napi_env env, size_t length, typename ElementOf<Type>::type*& data) {
  napi_value buffer, result;
  check(env, napi_create_arraybuffer(env, length * sizeof *data, (void**)&data, &buffer), "out of memory");
  check(env, napi_create_typedarray(env, Type, length, buffer, 0, &result), "out of memory");
  return result;
}

}  // namespace lunet
