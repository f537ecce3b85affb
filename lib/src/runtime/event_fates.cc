#include "runtime/event_fates.h"

#include <algorithm>
#include <new>

namespace fanfare {
namespace {

constexpr unsigned reason_bits = 4;
static_assert(drop_reasons <= (1U << reason_bits) && dead_reasons <= (1U << reason_bits));

constexpr std::uint8_t packed(EventState state, std::size_t reason) noexcept {
    return static_cast<std::uint8_t>((static_cast<unsigned>(state) << reason_bits) | reason);
}

constexpr EventState state_of(std::uint8_t byte) noexcept {
    return static_cast<EventState>(byte >> reason_bits);
}

}  // namespace

std::string_view to_string(EventState state) noexcept {
    switch (state) {
        case EventState::unknown:
            return "unknown";
        case EventState::ignored:
            return "ignored";
        case EventState::pending:
            return "pending";
        case EventState::delivered:
            return "delivered";
        case EventState::dropped:
            return "dropped";
        case EventState::dead_lettered:
            return "dead_lettered";
        case EventState::not_offered:
            break;
    }
    return "not_offered";
}

/// Null if the seq is too old, or there is no memory: then it is unknown.
std::uint8_t* EventFates::place_of(std::uint64_t seq) noexcept {
    const std::uint64_t number = seq / page_seqs;
    if (number + pages_.size() <= newest_page_) return nullptr;
    // The pages in between hold what is older than the last so many seqs.
    const std::uint64_t steps = number > newest_page_ ? number - newest_page_ : 0;
    for (std::uint64_t i = 1; i <= std::min<std::uint64_t>(steps, pages_.size()); ++i) {
        const std::unique_ptr<Page>& page = pages_[(newest_page_ + i) % pages_.size()];
        if (page) page->fill(0);
    }
    newest_page_ = std::max(newest_page_, number);
    std::unique_ptr<Page>& page = pages_[number % pages_.size()];
    if (!page) page.reset(new (std::nothrow) Page());
    if (!page) unnoted_to_ = std::max(unnoted_to_, seq);
    return page ? &(*page)[seq % page_seqs] : nullptr;
}

void EventFates::note(std::uint64_t seq, EventState state, std::size_t reason) noexcept {
    std::uint8_t* const place = place_of(seq);
    if (place != nullptr) *place = packed(state, reason);
}

void EventFates::dropped(Batch batch, DropReason reason) noexcept {
    for (const EventPtr& event : batch) {
        note(event->seq(), EventState::dropped, static_cast<std::size_t>(reason));
    }
}

void EventFates::given_up(Batch batch, DeadReason reason) noexcept {
    for (const EventPtr& event : batch) {
        note(event->seq(), EventState::dead_lettered, static_cast<std::size_t>(reason));
    }
}

void EventFates::delivered(Batch batch) noexcept {
    for (const EventPtr& event : batch) note(event->seq(), EventState::delivered);
}

void EventFates::all_dropped(DropReason reason) noexcept {
    const std::uint8_t dropped = packed(EventState::dropped, static_cast<std::size_t>(reason));
    for (const std::unique_ptr<Page>& page : pages_) {
        if (page) std::replace(page->begin(), page->end(), packed(EventState::pending, 0), dropped);
    }
}

EventFates::Fate EventFates::of(std::uint64_t seq) const noexcept {
    Fate fate;
    const std::uint64_t number = seq / page_seqs;
    if (number + pages_.size() <= newest_page_) return fate;
    const std::unique_ptr<Page>& page = pages_[number % pages_.size()];
    const bool is_held = number <= newest_page_ && page;
    const std::uint8_t byte = is_held ? (*page)[seq % page_seqs] : 0;
    fate.state = byte == 0 && seq > unnoted_to_ ? EventState::not_offered : state_of(byte);
    const unsigned reason = byte & ((1U << reason_bits) - 1);
    if (fate.state == EventState::dropped) fate.reason = to_string(static_cast<DropReason>(reason));
    if (fate.state == EventState::dead_lettered) {
        fate.reason = to_string(static_cast<DeadReason>(reason));
    }
    return fate;
}

}  // namespace fanfare
