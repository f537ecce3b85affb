#include "sim/ledger.h"

#include <algorithm>
#include <utility>

namespace fanfare::sim {

Ledger::Ledger(Plan plan, const test::ManualClock& clock, Story& story)
    : plan_(std::move(plan)), clock_(clock), story_(story), idle_since_(clock.now()) {}

bool Ledger::has_ended() const noexcept {
    if (!deadline_) return false;
    const bool is_idle = plan_.is_durable ? in_flight_ == 0 : open_.empty();
    return is_idle || clock_.now() >= *deadline_;
}

bool Ledger::is_written_off() const noexcept {
    const Duration enough = std::chrono::milliseconds(200);
    return ended_at_ < TimePoint::max() && letters_due_.empty() &&
           clock_.now() > std::max(ended_at_, last_done_) + enough;
}

std::string Ledger::label(const Item& item) const {
    return joined(plan_.name, " #", item.seq, " ", item.event->id());
}

void Ledger::offered(const EventPtr& event, std::string key, std::int64_t letter) {
    Item item;
    item.seq = event->seq();
    item.event = event;
    item.accepted = event->accepted();
    item.key = std::move(key);
    item.letter = letter;
    ++offered_;
    pending_bytes_ += event->payload().size();
    if (letter != 0) {
        // Past the filter.
        ++replayed_;
        item.state = State::waiting;
        idle_since_ = clock_.now();
    }
    open_.insert(item.seq);
    items_.emplace(item.seq, std::move(item));
}

void Ledger::changed(const Plan& plan) {
    const bool is_other_order = plan.order() != plan_.order();
    const bool was_breaker = is_breaker();
    plan_ = plan;
    ++plans_;
    if (!was_breaker || !is_breaker()) failures_in_a_row_ = 0;
    is_gone_ = false;
    has_free_pass_ = true;
    paused_until_ = TimePoint::min();
    idle_since_ = clock_.now();
    if (is_other_order) is_reordering_ = true;
    for (const std::uint64_t seq : open_) {
        Item& item = items_.at(seq);
        item.not_before = item.not_after = TimePoint::min();
        if (is_other_order) item.is_story_doubtful = true;
    }
}

void Ledger::resumed() {
    is_paused_ = false;
    is_gone_ = false;
    paused_until_ = TimePoint::min();
    idle_since_ = clock_.now();
}

void Ledger::purged(std::size_t count) {
    std::size_t waiting = 0;
    const std::set<std::uint64_t> open = open_;
    idle_since_ = clock_.now();
    for (const std::uint64_t seq : open) {
        Item& item = items_.at(seq);
        if (item.state != State::waiting) continue;
        ++waiting;
        if (item.letter != 0) discard({&item.letter, 1});
        ++dropped_.at(static_cast<std::size_t>(DropReason::purged));
        end(item, State::dropped);
    }
    if (plan_.is_durable) are_bytes_known_ = open_.empty();
    expect_equal("purged", count, waiting);
}

void Ledger::removed(TimePoint deadline, DropReason reason) {
    if (!deadline_) deadline_reason_ = reason;
    deadline_ = deadline_ ? std::min(*deadline_, deadline) : deadline;
    idle_since_ = clock_.now();
}

void Ledger::replayed(std::int64_t letter) {
    for (KeptLetter& kept : letters_) {
        if (kept.id == letter) kept.is_replayed = true;
    }
}

void Ledger::taken(const EventPtr& event, std::string key) {
    offered(event, std::move(key));
    items_.at(event->seq()).state = State::waiting;
    idle_since_ = clock_.now();
}

void Ledger::keep_letters(Random& random, std::uint64_t every) {
    std::erase_if(letters_due_, [&](const auto& due) {
        if (!random.one_in(every)) return false;
        Item& item = items_.at(due.event->seq());
        due.on_kept(*due.event);
        item.is_letter_due = false;
        item.done_at = last_done_ = clock_.now();
        return true;
    });
}

void Ledger::asked(const Event& event, bool is_wanted) {
    const auto found = items_.find(event.seq());
    if (found == items_.end() || found->second.state != State::offered) {
        return story_.fail(plan_.name, " was offered #", event.seq(), " unexpectedly");
    }
    Item& item = found->second;
    settle_offered(item.seq);
    if (is_wanted) {
        item.state = State::waiting;
        idle_since_ = clock_.now();
    } else {
        ++ignored_;
        end(item, State::ignored);
    }
}

/// It has come to its end.
void Ledger::end(Item& item, State state) {
    item.state = state;
    item.done_at = last_done_ = clock_.now();
    pending_bytes_ -= item.event->payload().size();
    open_.erase(item.seq);
}

void Ledger::put(DeadLetter letter) noexcept {
    if (is_deaf_) return;
    const auto found = items_.find(letter.event->seq());
    if (found == items_.end()) {
        return story_.fail(plan_.name, ": a letter of an unknown event");
    }
    Item& item = found->second;
    const TimePoint now = clock_.now();
    const std::string_view reason = to_string(letter.reason);
    story_.tell(label(item), " is a dead letter: ", reason);
    if (item.is_time_doubtful) item.accepted = letter.event->accepted();
    bool is_right = false;
    if (item.state == State::giving_up) {
        is_right = letter.reason == item.reason;
    } else if (item.state == State::waiting && letter.reason == DeadReason::max_age) {
        const Duration age_max = plan_.retry.age_max;
        const bool is_old = item.has_time_stepped || now - accepted(item) >= age_max;
        is_right = age_max > Duration::zero() && is_old;
    } else if (item.state == State::waiting && letter.reason == DeadReason::gone) {
        is_right = is_gone_;
    }
    if (!is_right) {
        story_.fail(label(item), " is given up for ", reason, " without cause, in state ",
                    static_cast<unsigned>(item.state));
        return;
    }
    if (!item.is_story_doubtful) expect_equal("attempts", letter.attempts, item.attempts);
    if (now - item.accepted !=
        std::chrono::duration_cast<Duration>(letter.given_up_at - letter.accepted_at)) {
        story_.fail(label(item), ": its letter's times do not tell its age");
    }
    if (item.letter != 0) discard({&item.letter, 1});
    ++dead_.at(static_cast<std::size_t>(letter.reason));
    end(item, State::dead);
    idle_since_ = now;  // as it may have held others up
    if (letter.on_kept) {
        item.is_letter_due = true;
        letters_due_.push_back({letter.event, std::move(letter.on_kept)});
    }
    KeptLetter kept;
    kept.id = static_cast<std::int64_t>(letters_.size()) + 1;
    kept.event = letter.event;
    letters_.push_back(std::move(kept));
}

void Ledger::discard(std::span<const std::int64_t> letters) noexcept {
    if (is_deaf_) return;
    for (const std::int64_t letter : letters) {
        // Some come before the ledger knows why.
        if (!discards_due_.insert(letter).second) discards_due_.erase(letter);
    }
}

void Ledger::keep(std::span<const std::int64_t> letters) noexcept {
    if (is_deaf_) return;
    for (const std::int64_t letter : letters) {
        if (!keeps_due_.insert(letter).second) keeps_due_.erase(letter);
    }
}

}  // namespace fanfare::sim
