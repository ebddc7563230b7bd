// How fast the 3x3x3 convolutions are, each of a step's three by itself: for `lunet bench --passes`. Off otherwise,
// since reading the clock takes about a hundredth of the time of what is measured.
#pragma once
#include <vector>

#include "platform/platform.h"

namespace lunet {

enum class Pass { forward, inputGradient, weightGradient };
constexpr int kPasses = 3;

struct Meter {
  bool on = false;
  double multiplyAdds[kPasses] = {};  // that the passes carried out, those on padding left out
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
