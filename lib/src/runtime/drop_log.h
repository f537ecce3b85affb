#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "fanfare/broadcaster.h"

namespace fanfare {

/// Tells of events that an endpoint drops one by one: of the first at once, then at most once per
/// second and by their number (SPEC 12). The numbers of all lines add up. Shard thread.
class DropLog {
  public:
    static constexpr Duration interval = std::chrono::seconds(1);

    struct Subject {
        std::string endpoint;
        DropReason reason;
    };
    DropLog(Subject subject, Log& log, Clock& clock, Executor executor);

    /// `error`: what went wrong, if something did; the last one is told.
    void dropped(Batch batch, std::string error = {});
    /// No more will come: tells what has not been told.
    void finish();

  private:
    void tell();

    const Subject subject_;
    Log& log_;
    Clock& clock_;
    const Executor executor_;
    std::unique_ptr<Alarm> alarm_;  // made when first needed
    bool is_waiting_ = false;       // for the alarm
    std::uint64_t events_ = 0;      // not told yet
    std::uint64_t bytes_ = 0;
    std::string error_;
};

}  // namespace fanfare
