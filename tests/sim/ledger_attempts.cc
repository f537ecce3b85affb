// What the books say about attempts.
#include <algorithm>

#include "sim/ledger.h"

namespace fanfare::sim {
namespace {

std::string list(const Attempt& attempt) {
    std::string text;
    for (const EventPtr& event : attempt.batch) append(text, joined(" #", event->seq()));
    return text;
}

}  // namespace

void Ledger::began(const Attempt& attempt) {
    if (is_deaf_) return;
    const TimePoint now = clock_.now();
    story_.tell(plan_.name, " attempt ", attempt.number, " at", list(attempt));
    const std::vector<Item*> items = items_of(attempt);
    if (story_.has_failed()) return;
    if (in_flight_ == 0) {
        const TimePoint latest = latest_begin();
        if (now > latest && !is_window_small())
            story_.fail(plan_.name, " begins late, by ", Duration(now - latest));
        if (is_reordering_) batches_.clear();
        is_reordering_ = false;
    }
    if (is_leaving()) story_.fail(plan_.name, " attempts although it is to leave");
    if (is_paused_) story_.fail(plan_.name, " attempts while paused");
    if (is_gone_) story_.fail(plan_.name, " attempts although its receiver is gone");
    if (in_flight_ + 1 > plan_.max_in_flight) story_.fail(plan_.name, ": too many in flight");
    check_story(items, attempt.number);
    check_batch(items);
    if (!is_reordering_) check_order(items);
    check_gate();
    check_hold(items);
    has_free_pass_ = false;
    ++in_flight_;
    for (Item* const item : items) {
        item->state = State::in_flight;
        item->batch = items.front()->seq;
        item->attempts = attempt.number;
        item->plan = plans_;
    }
}

std::vector<Item*> Ledger::items_of(const Attempt& attempt) {
    std::vector<Item*> items;
    for (const EventPtr& event : attempt.batch) {
        const auto found = items_.find(event->seq());
        if (found == items_.end()) {
            story_.fail(plan_.name, " sends #", event->seq(), ", which it was never given");
            continue;
        }
        Item& item = found->second;
        if (item.state != State::waiting) {
            story_.fail(label(item), " is sent in state ", static_cast<unsigned>(item.state));
        }
        const bool is_same = item.event->id() == event->id() &&
                             item.event->payload() == event->payload() &&
                             item.event->type() == event->type();
        if (!is_same) story_.fail(label(item), " is sent with another content");
        if (item.is_time_doubtful) item.accepted = event->accepted();
        if (event->accepted() != item.accepted) {
            story_.fail(label(item), " is sent with another time of acceptance");
        }
        items.push_back(&item);
    }
    return items;
}

/// The events of a batch have one story, and it goes on.
void Ledger::check_story(const std::vector<Item*>& items, unsigned number) {
    for (Item* const item : items) {
        if (item->is_story_doubtful && number == 1 && item->attempts > 0) {
            item->attempts = item->failures = 0;
            item->is_part = false;
            item->not_before = TimePoint::min();
        }
        if (number != item->attempts + 1) {
            story_.fail(label(*item), ": attempt ", number, " after ", item->attempts);
        }
        if (item->failures != items.front()->failures) {
            story_.fail(label(*item), " is in a batch with another story");
        }
    }
}

void Ledger::check_batch(const std::vector<Item*>& items) {
    std::vector<std::uint64_t> seqs;
    std::size_t bytes = 0;
    bool is_doubtful = false;
    bool is_fresh = true;
    for (Item* const item : items) {
        seqs.push_back(item->seq);
        bytes += item->event->payload().size();
        is_doubtful = is_doubtful || item->is_story_doubtful;
        is_fresh = is_fresh && item->batch == 0;
        if (item->event->type() != items.front()->event->type()) {
            story_.fail(label(*item), " is in a batch with another media type");
        }
        item->is_story_doubtful = false;
    }
    if (!is_doubtful && is_fresh) {
        const bool is_too_large = seqs.size() > 1 && bytes > plan_.batch.bytes_max;
        if (seqs.size() > plan_.batch.events_max || is_too_large) {
            story_.fail(plan_.name, " forms too large a batch");
        }
    }
    if (!is_doubtful && !is_fresh && batches_[items.front()->seq] != seqs) {
        story_.fail(plan_.name, " regroups a batch");
    }
    batches_[seqs.front()] = std::move(seqs);
}

void Ledger::check_order(const std::vector<Item*>& items) {
    const Order order = plan_.order();
    if (order == Order::free) return;
    auto next = items.begin();
    for (const std::uint64_t seq : open_) {
        const Item& item = items_.at(seq);
        if (next != items.end() && *next == &item) {
            ++next;
            continue;
        }
        if (next == items.end()) break;
        if (order == Order::strict || item.key == (*next)->key) {
            story_.fail(label(**next), " overtakes #", item.seq);
        }
    }
}

void Ledger::check_gate() {
    if (is_breaker_open() && in_flight_ > 0) {
        story_.fail(plan_.name, ": two attempts while the breaker is open");
    }
    if (!has_free_pass_ && clock_.now() < gate_opens()) {
        story_.fail(plan_.name, " does not wait, by ", Duration(gate_opens() - clock_.now()));
    }
}

void Ledger::check_hold(const std::vector<Item*>& items) {
    for (const Item* const item : items) {
        if (clock_.now() >= item->not_before) continue;
        story_.fail(label(*item), " is tried too early, by ",
                    Duration(item->not_before - clock_.now()));
    }
}

void Ledger::ended(const Attempt& attempt, const Outcome& outcome) {
    const TimePoint now = clock_.now();
    if (is_deaf_ || story_.has_failed()) return;
    story_.tell(plan_.name, " outcome ", static_cast<unsigned>(outcome.verdict()), " ",
                to_string(outcome.reason()), " ", outcome.http_status(), " for", list(attempt));
    --in_flight_;
    idle_since_ = now;
    std::vector<Item*> items;
    for (const EventPtr& event : attempt.batch) items.push_back(&items_.at(event->seq()));
    Progress progress;
    progress.events = items.size();
    progress.failures = items.front()->failures;
    progress.is_batching = is_batching();
    progress.is_part = items.front()->is_part;
    const Decision decision = decide(outcome, progress, plan_.retry);
    note_gate(decision);
    // What was gone was asked by other settings: it is not what is asked now.
    const bool is_outdated = items.front()->plan != plans_;
    const bool is_gone = decision.action() == Decision::Action::disable && !is_outdated;
    for (Item* const item : items) {
        item->last_end = now;
        item->state = State::waiting;
        item->not_before = item->not_after = TimePoint::min();
        item->last_status = outcome.http_status();
        item->last_error = outcome.reason();
        switch (decision.action()) {
            case Decision::Action::deliver:
                ++delivered_;
                if (item->letter != 0) discard({&item->letter, 1});
                end(*item, State::delivered);
                break;
            case Decision::Action::retry:
                try_again(*item);
                break;
            case Decision::Action::disable:
            case Decision::Action::give_up: {
                if (!is_gone && decision.action() == Decision::Action::disable) break;
                item->reason = is_gone ? DeadReason::gone : decision.reason();
                item->state = State::giving_up;
                if (plan_.has_letters) break;
                ++dead_.at(static_cast<std::size_t>(item->reason));
                end(*item, State::dead);
                break;
            }
            case Decision::Action::give_back:
                if (!deadline_ || now < *deadline_) story_.fail(label(*item), " is given back");
                break;
            case Decision::Action::pause:
            case Decision::Action::split:
            case Decision::Action::close:
                break;
        }
    }
    for (Item* const item : items) {
        const bool is_back = item->state == State::waiting;
        if (is_back && decision.action() != Decision::Action::split) note_progress(*item);
    }
    if (decision.action() == Decision::Action::split) split(items);
    if (is_gone) is_gone_ = was_gone_ = true;
}

void Ledger::note_gate(const Decision& decision) {
    const TimePoint now = clock_.now();
    if (decision.action() == Decision::Action::deliver) failures_in_a_row_ = 0;
    if (decision.is_failure()) {
        ++failures_in_a_row_;
        last_failure_ = now;
    }
    if (decision.action() == Decision::Action::pause) {
        paused_until_ = std::max(paused_until_, now + decision.wait());
    }
}

void Ledger::try_again(Item& item) {
    ++item.failures;
    if (plan_.order() == Order::strict && is_breaker()) return;
    const TimePoint now = clock_.now();
    item.not_after = now + retry_delay(plan_.retry, item.failures, 1);
    // Another queue that does not know of it may come before the next attempt.
    if (!is_reordering_) item.not_before = now + retry_delay(plan_.retry, item.failures, 0);
}

/// The halves begin anew.
void Ledger::split(const std::vector<Item*>& items) {
    const std::size_t first = (items.size() + 1) / 2;
    batches_.erase(items.front()->seq);
    for (std::size_t i = 0; i < items.size(); ++i) {
        Item& item = *items[i];
        item.batch = items[i < first ? 0 : first]->seq;
        batches_[item.batch].push_back(item.seq);
        item.attempts = item.failures = 0;
        item.is_part = true;
    }
}

}  // namespace fanfare::sim
