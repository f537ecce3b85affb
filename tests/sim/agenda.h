#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "support/manual_clock.h"

namespace fanfare::sim {

/// What the world outside the daemon has before it: answers under way, changes of mood. It is done
/// on the daemon's loop, but does not end with the daemon.
class Agenda {
  public:
    explicit Agenda(test::ManualClock& clock) : clock_(clock) {}

    void add(TimePoint at, std::function<void()> work) {
        entries_.emplace(at, std::move(work));
        if (alarm_) set_alarm();
    }

    /// Goes on with the loop behind `executor`.
    void attach(const Executor& executor) {
        alarm_ = clock_.make_alarm(executor);
        set_alarm();
    }
    /// Stands still. Before the loop ends.
    void detach() { alarm_.reset(); }

  private:
    void set_alarm() {
        if (entries_.empty()) return;
        alarm_->set(entries_.begin()->first, [this] { do_next(); });
    }

    void do_next() {
        const std::function<void()> work = std::move(entries_.begin()->second);
        entries_.erase(entries_.begin());
        set_alarm();
        work();
    }

    test::ManualClock& clock_;
    std::unique_ptr<Alarm> alarm_;
    std::multimap<TimePoint, std::function<void()>> entries_;
};

}  // namespace fanfare::sim
