#pragma once

#include <string_view>

#include "fanfare/clock.h"

namespace fanfare::command {

/// What ends a command that would go on for ever: SIGINT or SIGTERM, or that nobody reads its
/// output any more. A second signal ends the process with 130, from inside the signal handler.
/// One object per process at a time.
class Interrupt {
  public:
    /// `farewell` is written to stdout before a second signal ends the process: what puts a
    /// terminal in order. It must live as long as the process.
    explicit Interrupt(std::string_view farewell = {});
    /// Signals do again what they did before.
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// Can be read from once it is time to end; never to be read from.
    int descriptor() const noexcept { return watched_; }

    bool is_raised() const;

    /// Waits, up to a day; true if it is time to end.
    bool wait(Duration limit) const;

  private:
    int pipe_;
    int watched_;
};

}  // namespace fanfare::command
