// Measures the three convolution passes of a step separately, for `lunet bench --passes`. Otherwise it is off, since
// reading the clock costs about 1 % of the measured time.
#pragma once
#include <vector>

#include "platform/platform.h"

namespace lunet {

enum class Pass { forward, inputGradient, weightGradient };
constexpr int kPasses = 3;

struct Meter {
  bool on = false;
  double multiplyAdds[kPasses] = {};  // executed by each pass, without those on padding
  struct alignas(64) Seconds {
    double at[kPasses] = {};
  };
  std::vector<Seconds> seconds;  // of each thread

  explicit Meter(int threads) : seconds(threads) {}

  void start() {
    on = true;
    for (double& count : multiplyAdds) count = 0;
    for (Seconds& thread : seconds) thread = Seconds();
  }

  template <typename Work>
  void time(Pass pass, int thread, Work work) {
    if (!on) return work();
    const double begin = now();
    work();
    seconds[thread].at[(int)pass] += now() - begin;
  }
};

}  // namespace lunet
