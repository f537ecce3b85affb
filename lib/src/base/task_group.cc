#include "base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>

namespace fanfare {
namespace {

bool is_cancellation(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        return error.code() == net::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

TaskGroup::TaskGroup(Executor executor, std::function<void(std::exception_ptr)> on_exception)
    : executor_(executor), on_exception_(std::move(on_exception)), empty_(executor) {}

TaskGroup::~TaskGroup() { assert(tasks_.empty()); }

void TaskGroup::spawn(awaitable<void> task) {
    const auto entry = tasks_.emplace(tasks_.end());
    net::co_spawn(executor_, std::move(task),
                  net::bind_cancellation_slot(entry->slot(), [this, entry](std::exception_ptr e) {
                      net::post(executor_, [this, entry, e] { finished(entry, e); });
                  }));
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
