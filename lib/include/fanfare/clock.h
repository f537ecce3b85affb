#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace fanfare {

namespace net = boost::asio;
using net::awaitable;
using Executor = net::any_io_executor;
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Calls back once, at a time. Made by a Clock for one executor and used on that executor only.
class Alarm {
  public:
    /// Clears the alarm: after destruction the callback is never run.
    virtual ~Alarm() = default;

    /// Runs `callback` from the executor, never from inside set(), once `at` is reached.
    /// Replaces what was set before.
    virtual void set(TimePoint at, std::function<void()> callback) = 0;

    virtual void clear() noexcept = 0;
};

/// The only way to know or to wait for time, so that tests and simulations can own it.
/// now() and wall() may be called from any thread.
class Clock {
  public:
    virtual ~Clock() = default;

    /// Steady: never steps. Every timeout, backoff and age is measured with it.
    virtual TimePoint now() const noexcept = 0;

    /// Wall time: for headers and logs only, never for waiting.
    virtual WallTime wall() const noexcept = 0;

    virtual std::unique_ptr<Alarm> make_alarm(const Executor& executor) = 0;
};

/// The real clock, on boost::asio::steady_timer.
class SteadyClock final : public Clock {
  public:
    TimePoint now() const noexcept override;
    WallTime wall() const noexcept override;
    std::unique_ptr<Alarm> make_alarm(const Executor& executor) override;
};

}  // namespace fanfare
