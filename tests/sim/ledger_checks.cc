// What the books say of a moment at which nothing more happens.
#include <algorithm>

#include "sim/ledger.h"

namespace fanfare::sim {

bool Ledger::is_breaker() const noexcept {
    return plan_.retry.strategy == RetryPolicy::Strategy::breaker;
}

bool Ledger::is_breaker_open() const noexcept {
    return is_breaker() && failures_in_a_row_ >= static_cast<std::uint64_t>(plan_.retry.threshold);
}

/// When attempts may begin, as far as the whole endpoint is concerned.
TimePoint Ledger::gate_opens() const noexcept {
    if (!is_breaker_open()) return paused_until_;
    return std::max(paused_until_, last_failure_ + plan_.retry.backoff);
}

/// Of the youngest event of its batch, which is the one that counts.
TimePoint Ledger::accepted(const Item& item) const noexcept {
    const auto found = batches_.find(item.batch);
    if (found == batches_.end() || item.is_story_doubtful) return item.accepted;
    return items_.at(found->second.back()).accepted;
}

/// When it must be under way if nothing else held it up.
TimePoint Ledger::due_at(const Item& item) const noexcept {
    const bool may_linger = item.batch == 0 && !deadline_;
    const Duration linger = may_linger ? plan_.batch.linger : Duration::zero();
    return std::max(item.accepted + linger, item.not_after);
}

/// When, at the latest, an attempt begins if none is under way. max(): none needs to.
TimePoint Ledger::latest_begin() const noexcept {
    const bool is_ending = plan_.is_durable && deadline_;
    if (is_paused_ || is_gone_ || in_flight_ > 0 || is_ending) return TimePoint::max();
    TimePoint due = TimePoint::max();
    std::set<std::string_view> keys;
    for (const std::uint64_t seq : open_) {
        const Item& item = items_.at(seq);
        if (item.state != State::waiting) continue;
        // The oldest of a key holds up the others.
        if (plan_.order() == Order::keyed && !keys.insert(item.key).second) continue;
        due = std::min(due, due_at(item));
        // And in strict order the oldest of all.
        if (plan_.order() == Order::strict) break;
    }
    if (due == TimePoint::max()) return due;
    const TimePoint gate = has_free_pass_ ? TimePoint::min() : gate_opens();
    return std::max({due, gate, idle_since_});
}

void Ledger::check_quiet(const EndpointSnapshot& snapshot) {
    settle_offered(UINT64_MAX);
    was_gone_ = is_gone_;
    const bool is_over = deadline_ && clock_.now() >= *deadline_;
    if (is_over && in_flight_ > 0) story_.fail(plan_.name, " goes on after its end");
    if (is_over && !plan_.is_durable) drop_all(deadline_reason_);
    if (has_ended()) ended_at_ = std::min(ended_at_, clock_.now());
    if (!is_window_small()) check_idle();
    if (!is_window_small() && !(plan_.is_durable && deadline_)) check_overdue();
    if (story_.has_failed()) return;
    if (!plan_.is_durable || !has_ended()) compare(snapshot);
    if (!discards_due_.empty() || !keeps_due_.empty()) {
        story_.fail(plan_.name, ": letters of replayed events are not discarded or kept");
    }
}

/// What the filter was not asked about, although it should have been by now, came while the
/// receiver was gone.
void Ledger::settle_offered(std::uint64_t before) {
    std::vector<Item*> passed;
    for (auto seq = open_.rbegin(); seq != open_.rend(); ++seq) {
        Item& item = items_.at(*seq);
        if (item.state == State::offered && item.seq < before) passed.push_back(&item);
    }
    for (Item* const item : passed) {
        if (!was_gone_) story_.fail(label(*item), " never got there");
        ++ignored_;
        end(*item, State::ignored);
    }
}

/// Once the wall clock was set, between two processes, younger events can look older.
bool Ledger::are_times_doubtful() const noexcept {
    return std::any_of(open_.begin(), open_.end(),
                       [this](std::uint64_t seq) { return items_.at(seq).has_time_stepped; });
}

void Ledger::drop_all(DropReason reason) {
    const std::set<std::uint64_t> open = open_;
    for (const std::uint64_t seq : open) {
        Item& item = items_.at(seq);
        if (item.letter != 0) keep({&item.letter, 1});
        ++dropped_.at(static_cast<std::size_t>(reason));
        end(item, State::dropped);
    }
}

void Ledger::check_idle() {
    const TimePoint latest = latest_begin();
    if (latest <= clock_.now()) {
        story_.fail(plan_.name, " is idle although something is due since ",
                    Duration(clock_.now() - latest));
    }
}

/// What waits, while nobody is busy, is not older than it may get.
void Ledger::check_overdue() {
    const Duration age_max = are_times_doubtful() ? Duration::zero() : plan_.retry.age_max;
    for (const std::uint64_t seq : open_) {
        const Item& item = items_.at(seq);
        if (item.state == State::giving_up) story_.fail(label(item), " has no letter");
        if (item.state != State::waiting || in_flight_ > 0) continue;
        if (is_gone_) story_.fail(label(item), " waits although its receiver is gone");
        const bool is_old = age_max > Duration::zero() &&
                            clock_.now() - accepted(item) >= age_max && !item.is_story_doubtful;
        if (is_old) story_.fail(label(item), " waits although its time is over");
        if (plan_.order() == Order::strict) break;
    }
}

void Ledger::expect_equal(const char* what, std::uint64_t is, std::uint64_t should) {
    if (is != should) story_.fail(plan_.name, ": ", what, " ", is, " instead of ", should);
}

void Ledger::compare(const EndpointSnapshot& snapshot) {
    const EndpointMetrics& metrics = snapshot.metrics;
    expect_equal("offered", metrics.offered_events(), offered_);
    expect_equal("restored", metrics.restored_events(), restored_);
    expect_equal("replayed", metrics.replayed_events(), replayed_);
    expect_equal("ignored", metrics.ignored_events(), ignored_);
    expect_equal("delivered", metrics.successes(), delivered_);
    expect_equal("pending", snapshot.pending_events, open_.size());
    if (are_bytes_known_ && !is_window_small()) {
        expect_equal("pending bytes", snapshot.pending_bytes, pending_bytes_);
    }
    expect_equal("in flight", snapshot.in_flight_requests, in_flight_);
    for (std::size_t i = 0; i < drop_reasons; ++i) {
        const auto reason = static_cast<DropReason>(i);
        expect_equal("dropped", metrics.dropped_events(reason), dropped_.at(i));
    }
    for (std::size_t i = 0; i < dead_reasons; ++i) {
        const auto reason = static_cast<DeadReason>(i);
        expect_equal("dead letters", metrics.dead_letters(reason), dead_.at(i));
    }
    expect_equal("is paused", snapshot.is_paused ? 1 : 0, is_paused_ ? 1 : 0);
    expect_equal("is gone", snapshot.is_gone ? 1 : 0, is_gone_ ? 1 : 0);
    expect_equal("is open", snapshot.is_breaker_open ? 1 : 0, is_breaker_open() ? 1 : 0);
    if (open_.empty() || is_window_small() || are_times_doubtful()) return;
    TimePoint oldest = TimePoint::max();
    for (const std::uint64_t seq : open_) {
        oldest = std::min(oldest, items_.at(seq).accepted);
    }
    if (snapshot.oldest_pending != clock_.now() - oldest) {
        story_.fail(plan_.name, ": the oldest is ", snapshot.oldest_pending, " old instead of ",
                    Duration(clock_.now() - oldest));
    }
}

}  // namespace fanfare::sim
