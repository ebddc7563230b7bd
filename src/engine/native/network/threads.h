// A fixed set of threads that work through numbered tasks. Any thread may take any task; what a task computes must
// depend on its number alone, so that results are the same for any number of threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lunet {

// Thrown by Threads::run when interrupt() was called meanwhile.
struct Interrupted {};

class Threads {
 public:
  // The calling thread counts as one of them. count >= 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // Calls work(task, thread) for every task in [0, tasks), thread in [0, count). Returns when all are done.
  void run(int tasks, const std::function<void(int task, int thread)>& work);

  // Makes the run in progress, and those after it until resume(), throw Interrupted as soon as running tasks end.
  void interrupt() { interrupted_ = true; }
  void resume() { interrupted_ = false; }

 private:
  void serve(int thread);
  void take(int thread);
  void spread(int thread);

  const int count_;
  std::vector<std::thread> threads_;
  std::vector<std::atomic<int>> processors_;  // where each thread was last seen
  std::atomic<int> moves_;                    // of threads to other processors that are left
  const std::function<void(int, int)>* work_ = nullptr;
  int tasks_ = 0;
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<unsigned> round_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace lunet
