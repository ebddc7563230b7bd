// Linked into TensorFlow's binding: when that is loaded, TensorFlow is told to print errors only, unless
// TF_CPP_MIN_LOG_LEVEL, TensorFlow's own variable, asks for more. (TensorFlow of today no longer looks at it early on.)
#include <cstdlib>

#include "absl/log/globals.h"

static const bool quiet = [] {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level && level[0] >= '0' && level[0] <= '3')
    absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(level[0] - '0'));
  return true;
}();
