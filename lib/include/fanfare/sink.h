#pragma once

#include "fanfare/clock.h"
#include "fanfare/event.h"
#include "fanfare/outcome.h"

namespace fanfare {

/// One try to hand `batch` to a receiver; `number` counts the tries for this batch from 1.
struct Attempt {
    Batch batch;
    unsigned number = 1;
};

/// Where events go. This one method is all that an extension implements.
class Sink {
  public:
    virtual ~Sink() = default;

    /// One attempt, all or nothing. Runs on the endpoint's shard, called by one worker at a time;
    /// the batch stays alive until the coroutine ends. When cancelled it must end promptly with
    /// operation_aborted (thrown) or Outcome::aborted(). Anything else it throws counts as
    /// Outcome::retry(Reason::exception).
    virtual awaitable<Outcome> deliver(Attempt attempt) = 0;
};

/// Told of every attempt as it begins and as it ends. Shard thread.
class AttemptObserver {
  public:
    virtual ~AttemptObserver() = default;
    virtual void attempting(const Attempt& attempt) = 0;
    /// Also of one that was aborted.
    virtual void attempted(const Attempt& attempt, const Outcome& outcome, TimePoint started,
                           TimePoint ended) = 0;
};

}  // namespace fanfare
