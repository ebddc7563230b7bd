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

class Threads {
 public:
  // The calling thread counts as one of them. count >= 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // Calls work(task, thread) for every task in [0, tasks), thread in [0, count). Returns when all are done, or early
  // after interrupt(): see cut().
  void run(int tasks, const std::function<void(int task, int thread)>& work);

  // Makes the run in progress, and those after it until resume(), leave out all tasks that have not begun.
  void interrupt() { interrupted_ = true; }
  void resume() { interrupted_ = cut_ = false; }
  // Whether a run since resume() left tasks out. No exception says so: WebAssembly has none, and what follows a run
  // that was cut is quick, since it is cut as well.
  bool cut() const { return cut_; }

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
  bool cut_ = false;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace lunet
