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
        const std::optional<Error> error = co_await perform(std::move(step), result);
        if (error) co_return *error;
    }
    result.is_at_end = false;
    co_return result;
}

/// Groups by endpoint, each in its order, so that a queue is locked and a row erased once a step.
Replay::Step Replay::prepare(const std::vector<StoredLetter>& letters, std::int64_t after) {
    Step step;
    step.last_id = after;
    for (const StoredLetter& letter : letters) {
        std::shared_ptr<Event> event = revive(letter);
        if (!event) {
            step.is_out_of_room = true;
            break;
        }
        const auto found =
            std::find_if(step.groups.begin(), step.groups.end(),
                         [&](const Group& group) { return group.endpoint == letter.endpoint; });
        Group& group = found != step.groups.end() ? *found : step.groups.emplace_back();
        group.endpoint = letter.endpoint;
        group.events.push_back(std::move(event));
        group.ids.push_back(letter.id);
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

awaitable<std::optional<Error>> Replay::perform(Step step, ReplayResult& result) {
    for (Group& group : step.groups) {
        const std::size_t count = group.events.size();
        switch (requeue_(group.endpoint, std::move(group.events))) {
            case Requeued::no_endpoint:
                result.not_replayed += count;
                continue;
            case Requeued::shut_down:
                result.is_shut_down = true;
                co_return std::nullopt;
            case Requeued::done:
                result.replayed += count;
                break;
        }
        const Result<std::uint64_t> erased =
            co_await store_.erase(std::move(group.ids), LetterRemoval::replayed);
        if (erased.has_error()) co_return erased.error();
    }
    co_return std::nullopt;
}

}  // namespace fanfare
