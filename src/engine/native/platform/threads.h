// A fixed set of threads that do numbered tasks. Any thread may take any task. The result of a task must depend only on
// its number, so that results are the same for any number of threads.
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
  // `count` includes the calling thread; count >= 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // Calls work(task, thread) for every task in [0, tasks), with thread in [0, count). Returns when all are done, or
  // early after interrupt(): see cut().
  void run(int tasks, const std::function<void(int task, int thread)>& work);

  // Makes the current run, and later runs until resume(), skip all tasks that have not begun.
  void interrupt() { interrupted_ = true; }
  void resume() { interrupted_ = cut_ = false; }
  // Whether a run since resume() skipped tasks. There is no exception for this: WebAssembly has none, and later runs of
  // the same call are fast, since they skip their tasks too.
  bool cut() const { return cut_; }

 private:
  void serve(int thread);
  void take(int thread);
  void spread(int thread);

  const int count_;
  std::vector<std::thread> threads_;
  std::vector<std::atomic<int>> processors_;  // the last known processor of each thread
  std::atomic<int> moves_;                    // how many more times a thread may be moved
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
