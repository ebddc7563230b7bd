// Linked into the TensorFlow binding: when the binding is loaded, it tells TensorFlow to print only errors, unless
// TensorFlow's own variable TF_CPP_MIN_LOG_LEVEL asks for more. (Recent versions of TensorFlow no longer read it early
// enough.)
#include <cstdlib>

#include "absl/log/globals.h"

static const bool quiet = [] {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level && level[0] >= '0' && level[0] <= '3')
    absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(level[0] - '0'));
  return true;
}();
