#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/system/error_code.hpp>
#include <optional>

#include "fanfare/clock.h"

namespace fanfare {

/// Lets one coroutine wait until another part of the same shard says go. A notify() that comes
/// first is remembered, so nothing is missed. Shard thread.
class Wakeup {
  public:
    explicit Wakeup(Executor executor) : executor_(std::move(executor)) {}
    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    /// Ends after notify(); one waiter at a time. Throws operation_aborted when cancelled.
    awaitable<void> wait();

    void notify();

    bool is_waiting() const noexcept { return waiter_.has_value(); }

  private:
    using Waiter = net::any_completion_handler<void(boost::system::error_code)>;
    struct Park;
    awaitable<void> park();
    void complete(boost::system::error_code error);

    Executor executor_;
    /// In an optional, because assigning an any_completion_handler, or copying one from an lvalue,
    /// recurses without end in Boost 1.81.
    std::optional<Waiter> waiter_;
    bool notified_ = false;
};

/// Waits until `clock` reaches `at`, or `wakeup` is notified if one is given. Throws
/// operation_aborted when cancelled.
awaitable<void> wait_until(Clock& clock, TimePoint at);
awaitable<void> wait_until(Clock& clock, TimePoint at, Wakeup& wakeup);

}  // namespace fanfare
