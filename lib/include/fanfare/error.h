#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace fanfare {

using boost::system::error_code;

/// Start-up or input went wrong: one sentence for a person, without secrets.
class [[nodiscard]] Error {
  public:
    Error() = default;
    explicit Error(std::string message) : message_(std::move(message)) {}

    const std::string& message() const noexcept { return message_; }

  private:
    std::string message_;
};

/// A value, or the Error that prevented it.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace fanfare
