#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "fanfare/broadcaster.h"

namespace fanfare {

/// Tells of the events that an endpoint drops for want of room: of the first at once, then at most
/// once per second and by their number (SPEC 12). The numbers of all lines add up. Shard thread.
class OverflowLog {
  public:
    static constexpr Duration interval = std::chrono::seconds(1);

    OverflowLog(std::string endpoint, Log& log, Clock& clock, Executor executor);

    void dropped(Batch batch);
    /// No more will come: tells what has not been told.
    void finish();

  private:
    void tell();

    const std::string endpoint_;
    Log& log_;
    Clock& clock_;
    const Executor executor_;
    std::unique_ptr<Alarm> alarm_;  // made when first needed
    bool is_waiting_ = false;       // for the alarm
    std::uint64_t events_ = 0;      // not told yet
    std::uint64_t bytes_ = 0;
};

}  // namespace fanfare
