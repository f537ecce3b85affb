#include "base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cassert>

#include "base/exceptions.h"

namespace fanfare {
TaskGroup::TaskGroup(Executor executor, std::function<void(std::exception_ptr)> on_exception)
    : executor_(executor), on_exception_(std::move(on_exception)), empty_(executor) {}

TaskGroup::~TaskGroup() { assert(tasks_.empty()); }

void TaskGroup::spawn(awaitable<void> task) {
    const auto entry = tasks_.emplace(tasks_.end());
    const auto end = [this, entry](std::exception_ptr exception) {
        net::post(executor_, [this, entry, exception] { finished(entry, exception); });
    };
    try {
        net::co_spawn(executor_, std::move(task), net::bind_cancellation_slot(entry->slot(), end));
    } catch (...) {
        tasks_.erase(entry);
        throw;
    }
}

void TaskGroup::finished(Tasks::iterator task, std::exception_ptr exception) {
    tasks_.erase(task);
    if (exception && !is_cancellation(exception)) on_exception_(exception);
    if (tasks_.empty()) empty_.notify();
}

void TaskGroup::cancel() {
    // Emitting may end a task at once, but finished() is posted, so the list stays as it is.
    for (net::cancellation_signal& task : tasks_) task.emit(net::cancellation_type::terminal);
}

awaitable<void> TaskGroup::join() {
    while (!tasks_.empty()) co_await empty_.wait();
}

}  // namespace fanfare
