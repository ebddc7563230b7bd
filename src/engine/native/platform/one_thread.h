// The interface of threads.h for a single thread, as in WebAssembly.
#pragma once
#include <functional>

namespace lunet {

// Whether the host wants the running call to end; see wasm/host.h.
bool hostInterrupts();

class Threads {
 public:
  explicit Threads(int) {}

  void run(int tasks, const std::function<void(int task, int thread)>& work) {
    for (int task = 0; task < tasks && !cut_; task++)
      if (hostInterrupts())
        cut_ = true;
      else
        work(task, 0);
  }

  void interrupt() { cut_ = true; }
  void resume() { cut_ = false; }
  bool cut() const { return cut_; }

 private:
  bool cut_ = false;
};

}  // namespace lunet
