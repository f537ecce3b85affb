#include "base/deadlines.h"

#include <algorithm>

namespace fanfare {

void TimeoutList::arm(Timeout& timeout) { arm(timeout, deadlines_.clock_.now()); }

void TimeoutList::arm(Timeout& timeout, TimePoint now) {
    timeout.disarm();
    timeout.at_ = now + length_;
    armed_.push_back(timeout);
    if (timeout.at_ < deadlines_.alarm_at_) deadlines_.set_alarm(timeout.at_);
}

void TimeoutList::expire(TimePoint now) {
    while (!armed_.empty() && armed_.front().at_ <= now) {
        Timeout& timeout = armed_.front();
        armed_.pop_front();
        timeout.on_expiry_();
    }
}

Deadlines::Deadlines(Clock& clock, const Executor& executor)
    : clock_(clock), alarm_(clock.make_alarm(executor)) {}

Deadlines::~Deadlines() = default;

TimeoutList& Deadlines::of(Duration length) {
    std::unique_ptr<TimeoutList>& list = lists_[length];
    if (!list) list.reset(new TimeoutList(*this, length));
    return *list;
}

void Deadlines::clear_if_idle() noexcept {
    const bool is_idle = std::all_of(lists_.begin(), lists_.end(), [](const auto& entry) {
        return entry.second->armed_.empty();
    });
    if (!is_idle) return;
    alarm_->clear();
    alarm_at_ = TimePoint::max();
}

void Deadlines::set_alarm(TimePoint at) {
    alarm_at_ = at;
    alarm_->set(at, [this] { ring(); });
}

void Deadlines::ring() {
    // Until the end of this function no arm() needs to set the alarm.
    alarm_at_ = TimePoint::min();
    const TimePoint now = clock_.now();
    try {
        for (const auto& entry : lists_) entry.second->expire(now);
    } catch (...) {
        set_alarm(now);  // for those that have not had their turn
        throw;
    }

    TimePoint next = TimePoint::max();
    for (const auto& entry : lists_) {
        const TimeoutList& list = *entry.second;
        if (!list.armed_.empty()) next = std::min(next, list.armed_.front().at_);
    }
    alarm_at_ = TimePoint::max();
    if (next != TimePoint::max()) set_alarm(next);
}

}  // namespace fanfare
