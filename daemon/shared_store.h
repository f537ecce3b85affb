#pragma once

#include <memory>
#include <string>

#include "fanfare/config.h"
#include "fanfare/log.h"
#include "fleet/board.h"
#include "fleet/shared_log.h"
#include "store/letters.h"

namespace fanfare {

/// What is kept elsewhere with `queue.storage: nats`, for all processes. Any thread.
class SharedStore {
  public:
    /// Begins to connect; goes on by itself. Clock and log must outlive it.
    static std::unique_ptr<SharedStore> open(const Config& config, Clock& clock, Log& log);

    /// Nobody may use any of it any more.
    virtual ~SharedStore() = default;

    virtual SharedLog& events() = 0;
    virtual DeadLetters& dead_letters() = 0;
    virtual Board& board() = 0;

    /// Nothing is called or sent any more. What uses it may be destroyed later, it last.
    virtual void stop() = 0;

    /// What can be changed without a restart: how much stays as history, and what decides order.
    virtual void change(const Config& config) = 0;
};

/// A log's name for itself in the form that the instance of a daemon has: a UUID.
std::string instance_of(const std::string& log_id);

}  // namespace fanfare
