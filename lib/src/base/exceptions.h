#pragma once

#include <exception>
#include <string>

namespace fanfare {

/// What is said of `exception` in a log line. Must not be null.
std::string describe(const std::exception_ptr& exception);

/// Whether it is how Asio ends a coroutine whose wait was cancelled.
bool is_cancellation(const std::exception_ptr& exception);

}  // namespace fanfare
