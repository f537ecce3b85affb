#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>

#include "fanfare/clock.h"

namespace fanfare::test {

/// A coroutine under way on a context that the test polls.
template <class T>
class Running {
  public:
    Running(net::io_context& context, awaitable<T> task) {
        net::co_spawn(context, wrap(std::move(task)),
                      [state = state_](std::exception_ptr exception, std::optional<T> value) {
                          state->exception = exception;
                          state->value = std::move(value);
                      });
    }

    bool is_done() const { return state_->value.has_value() || state_->exception; }

    T get() {
        if (state_->exception) std::rethrow_exception(state_->exception);
        if (!state_->value) throw std::logic_error("coroutine has not ended");
        return std::move(*state_->value);
    }

  private:
    /// co_spawn wants a result that can be made from nothing.
    static awaitable<std::optional<T>> wrap(awaitable<T> task) {
        std::optional<T> value(co_await std::move(task));
        co_return value;
    }

    struct State {
        std::exception_ptr exception;
        std::optional<T> value;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline awaitable<bool> then_true(awaitable<void> task) {
    co_await std::move(task);
    co_return true;
}

template <>
class Running<void> : public Running<bool> {
  public:
    Running(net::io_context& context, awaitable<void> task)
        : Running<bool>(context, then_true(std::move(task))) {}
};

/// Runs `task` to its end by polling; it must not need time to pass.
template <class T>
T run(net::io_context& context, awaitable<T> task) {
    Running<T> running(context, std::move(task));
    context.restart();
    context.poll();
    return static_cast<T>(running.get());
}

}  // namespace fanfare::test
