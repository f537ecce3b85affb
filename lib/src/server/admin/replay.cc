#include "server/admin/replay.h"

#include <algorithm>

namespace fanfare {

awaitable<Result<ReplayResult>> Replay::run(LetterRange range) {
    ReplayResult result;
    result.last_id = range.after;
    std::size_t left = range.letters_max;
    range.with_payload = true;
    while (left > 0 && !result.is_out_of_room && !result.is_shut_down) {
        range.after = result.last_id;
        range.letters_max = std::min(left, step_letters_max);
        const Result<std::vector<StoredLetter>> letters = co_await store_.read(range);
        if (letters.has_error()) co_return letters.error();
        if (letters->empty()) co_return result;
        left -= letters->size();
        Step step = prepare(*letters, range.after);
        result.is_out_of_room = step.is_out_of_room;
        result.last_id = step.last_id;
        perform(std::move(step), result);
    }
    result.is_at_end = false;
    co_return result;
}

/// Groups by endpoint, each in its order, so that a queue is locked once a step.
Replay::Step Replay::prepare(const std::vector<StoredLetter>& letters, std::int64_t after) {
    Step step;
    step.last_id = after;
    for (const StoredLetter& letter : letters) {
        if (!store_.begin_replay(letter.id)) {
            step.last_id = letter.id;
            continue;
        }
        std::shared_ptr<Event> event = revive(letter);
        if (!event) {
            store_.keep({&letter.id, 1});
            step.is_out_of_room = true;
            break;
        }
        const auto found =
            std::find_if(step.groups.begin(), step.groups.end(),
                         [&](const Group& group) { return group.endpoint == letter.endpoint; });
        Group& group = found != step.groups.end() ? *found : step.groups.emplace_back();
        group.endpoint = letter.endpoint;
        group.events.push_back({std::move(event), letter.id});
        step.last_id = letter.id;
    }
    return step;
}

/// The event as it was; null if there is no room for it.
std::shared_ptr<Event> Replay::revive(const StoredLetter& letter) {
    Reservation reservation;
    if (budget_ != nullptr) {
        // At the bound itself, senders would be refused because of old events.
        const double bound = budget_share_max * static_cast<double>(budget_->bytes_max());
        const std::size_t used = budget_->bytes_used() + letter.payload.size();
        if (static_cast<double>(used) > bound) return nullptr;
        std::optional<Reservation> reserved = budget_->try_reserve(letter.payload.size());
        if (!reserved) return nullptr;
        reservation = std::move(*reserved);
    }
    EventFields fields;
    fields.id = letter.event_id;
    fields.action = letter.action;
    fields.target_media_type = letter.target_media_type;
    fields.traceparent = letter.traceparent;
    fields.tracestate = letter.tracestate;
    return Event::make(letter.payload, fields, letter.media_type, std::move(reservation));
}

void Replay::perform(Step step, ReplayResult& result) {
    for (const Group& group : step.groups) {
        const Requeued requeued =
            result.is_shut_down ? Requeued::shut_down : requeue_(group.endpoint, group.events);
        if (requeued == Requeued::done) {
            result.replayed += group.events.size();
            continue;
        }
        keep(group.events);
        if (requeued == Requeued::shut_down) result.is_shut_down = true;
        if (requeued == Requeued::no_endpoint) result.not_replayed += group.events.size();
    }
}

void Replay::keep(const Events& events) {
    for (const Replayed& replayed : events) store_.keep({&replayed.letter, 1});
}

}  // namespace fanfare
