#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <functional>
#include <list>

#include "base/wakeup.h"
#include "fanfare/clock.h"

namespace fanfare {

/// Coroutines that belong together: spawned, cancelled and joined as one. Shard thread.
/// Must be empty when destroyed.
class TaskGroup {
  public:
    /// `on_exception` is told what a task threw, other than operation_aborted.
    TaskGroup(Executor executor, std::function<void(std::exception_ptr)> on_exception);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    void spawn(awaitable<void> task);

    /// Cancels what runs now. Later tasks are not affected.
    void cancel();

    /// Ends when no task runs. One waiter at a time.
    awaitable<void> join();

    std::size_t size() const noexcept { return tasks_.size(); }

  private:
    using Tasks = std::list<net::cancellation_signal>;
    void finished(Tasks::iterator task, std::exception_ptr exception);

    Executor executor_;
    std::function<void(std::exception_ptr)> on_exception_;
    Tasks tasks_;
    Wakeup empty_;
};

}  // namespace fanfare
