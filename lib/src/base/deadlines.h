#pragma once

#include <boost/intrusive/list.hpp>
#include <functional>
#include <map>
#include <memory>

#include "fanfare/clock.h"

namespace fanfare {

class TimeoutList;

/// Something that must end in time: calls back once if it is not disarmed before. Owned by what
/// it guards; shard thread. Disarms itself when destroyed.
class Timeout : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    explicit Timeout(std::function<void()> on_expiry) : on_expiry_(std::move(on_expiry)) {}

    void disarm() noexcept { unlink(); }
    bool is_armed() const noexcept { return is_linked(); }

  private:
    friend class TimeoutList;
    friend class Deadlines;

    std::function<void()> on_expiry_;
    TimePoint at_{};
};

/// Timeouts of one length. As all are equally long, the list is in order of expiry by itself:
/// arming is an append, disarming an unlink, and neither touches a timer.
class TimeoutList {
  public:
    Duration length() const noexcept { return length_; }

    /// Arms, or arms anew, `timeout` to expire after length(), from `now` on if that is known.
    void arm(Timeout& timeout);
    void arm(Timeout& timeout, TimePoint now);

  private:
    friend class Deadlines;
    using List = boost::intrusive::list<Timeout, boost::intrusive::constant_time_size<false>>;

    TimeoutList(class Deadlines& deadlines, Duration length)
        : deadlines_(deadlines), length_(length) {}
    void expire(TimePoint now);

    Deadlines& deadlines_;
    const Duration length_;
    List armed_;
};

/// All timeouts of a shard behind a single alarm, which is set anew only when it rings or when a
/// shorter timeout comes: a request that ends in time costs no timer operation (DESIGN 9), and an
/// idle shard is never woken.
class Deadlines {
  public:
    Deadlines(Clock& clock, const Executor& executor);
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;
    ~Deadlines();

    /// The list for timeouts of `length`, made if need be; valid as long as this object. Callers
    /// keep it. `length` comes from configuration: there are few different ones.
    TimeoutList& of(Duration length);

    /// Clears the alarm if nothing is armed. Disarming leaves it to ring once more, which would
    /// keep a loop from ending that has nothing else to do.
    void clear_if_idle() noexcept;

  private:
    friend class TimeoutList;
    void set_alarm(TimePoint at);
    void ring();

    Clock& clock_;
    std::unique_ptr<Alarm> alarm_;
    TimePoint alarm_at_ = TimePoint::max();
    std::map<Duration, std::unique_ptr<TimeoutList>> lists_;
};

}  // namespace fanfare
