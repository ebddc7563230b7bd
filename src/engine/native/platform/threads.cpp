#include "platform/threads.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace lunet {

namespace {
// Passes follow each other within microseconds: a waiting thread looks for work this many times before it sleeps.
constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
// Stores that bypass the caches (`stream` in simd.h) are not ordered by atomics; they need a fence of their own.
inline void finishStores() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}
}  // namespace

Threads::Threads(int count) : count_(count), processors_(count), moves_(4 * count) {
  for (int i = 1; i < count; i++) threads_.emplace_back([this, i] { serve(i); });
}

Threads::~Threads() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    round_++;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Threads::take(int thread) {
  for (;;) {
    const int task = next_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_ || interrupted_) break;
    (*work_)(task, thread);
  }
  finishStores();
}

// If an earlier thread is on the same processor, moves this thread to another allowed processor. The scheduler would
// leave both there for a tenth of a second while another processor is idle; a few predictions take that long. Done only
// a few times for a network: if other processes run too, the scheduler knows better.
void Threads::spread([[maybe_unused]] int thread) {
#ifdef __linux__
  const int here = sched_getcpu();
  bool shared = false;
  for (int i = 0; i < thread; i++) shared |= processors_[i].load(std::memory_order_relaxed) == here;
  processors_[thread].store(here, std::memory_order_relaxed);
  cpu_set_t allowed;
  if (!shared || here < 0 || moves_.load(std::memory_order_relaxed) <= 0 ||
      sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return;
  cpu_set_t free = allowed;
  for (int i = 0; i < thread; i++) CPU_CLR((size_t)processors_[i].load(std::memory_order_relaxed), &free);
  if (CPU_COUNT(&free) == 0) return;
  moves_.fetch_sub(1, std::memory_order_relaxed);
  if (sched_setaffinity(0, sizeof free, &free) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
  processors_[thread].store(sched_getcpu(), std::memory_order_relaxed);
#endif
}

void Threads::serve(int thread) {
  unsigned seen = 0;
  for (;;) {
    for (int i = 0; i < kSpins && round_.load(std::memory_order_acquire) == seen; i++) pause();
    if (round_.load(std::memory_order_acquire) == seen) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
    }
    seen = round_.load(std::memory_order_acquire);
    if (stop_) return;
    spread(thread);
    take(thread);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

void Threads::run(int tasks, const std::function<void(int, int)>& work) {
  work_ = &work;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  if (!threads_.empty() && tasks > 1) {
    spread(0);
    busy_.store((int)threads_.size(), std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    take(0);
    for (int i = 0; busy_.load(std::memory_order_acquire) > 0; i++) i < kSpins ? pause() : std::this_thread::yield();
  } else {
    take(0);
  }
  if (interrupted_) cut_ = true;
}

}  // namespace lunet
