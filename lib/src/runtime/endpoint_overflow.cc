// What an endpoint does at the bounds of its queue (SPEC 12).
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/endpoint_impl.h"

namespace fanfare {
namespace {

/// True as long as this is there.
class Flag {
  public:
    explicit Flag(bool& value) : value_(value) { value_ = true; }
    ~Flag() { value_ = false; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

  private:
    bool& value_;
};

}  // namespace

bool Endpoint::Impl::fits(const Event& event) const noexcept {
    const QueueBounds& bounds = options_.bounds;
    const std::size_t bytes = event.payload().size();
    if (bounds.bytes_max != 0 && queue_->pending_bytes() + bytes > bounds.bytes_max) return false;
    return bounds.events_max == 0 || queue_->pending_events() < bounds.events_max;
}

bool Endpoint::Impl::is_within_bounds() const noexcept {
    return options_.bounds.allow(queue_->pending_events(), queue_->pending_bytes());
}

bool Endpoint::Impl::loses_oldest() const noexcept {
    const Overflow overflow = options_.bounds.overflow;
    return overflow == Overflow::drop_oldest || overflow == Overflow::dead_letter;
}

/// For an event that does not fit: whether it is queued all the same, others having gone for it.
bool Endpoint::Impl::make_room(const EventPtr& event) {
    // It was let in, so there was room; or the bounds are new and for events that come from now on.
    if (options_.bounds.overflow == Overflow::reject) return true;
    const bool is_worth_it = loses_oldest() && can_make_room(*event);
    // While trim() is at work, a few more: they must become fewer, but not at once.
    const std::size_t most = is_trimming_ ? 2 : SIZE_MAX;
    for (std::size_t i = 0; is_worth_it && i < most; ++i) {
        if (!lose_oldest()) break;
        if (fits(*event)) return true;
    }
    if (is_worth_it && is_trimming_) return true;
    lose_newest(event);
    return false;
}

/// Whether it fits beside what is under way; if not, nothing else needs to go for it.
bool Endpoint::Impl::can_make_room(const Event& event) const noexcept {
    return options_.bounds.allow(under_way_.events + 1, under_way_.bytes + event.payload().size());
}

/// False if all is under way.
bool Endpoint::Impl::lose_oldest() {
    if (options_.bounds.overflow == Overflow::dead_letter) {
        Held held(*queue_, queue_->lease_accepted_by(TimePoint::max()), under_way_);
        if (held.lease.is_empty()) return false;
        give_up(held, DeadReason::overflow);
        return true;
    }
    const Lease oldest = queue_->remove_oldest();
    drop(oldest.batch());
    return !oldest.is_empty();
}

void Endpoint::Impl::lose_newest(const EventPtr& event) {
    const LetGo let_go = queue_->skip(*event);
    if (options_.bounds.overflow == Overflow::dead_letter) {
        Lease lost;
        lost.add(event);
        return give_up(lost, DeadReason::overflow, let_go);
    }
    drop({&event, 1});
    if (let_go) let_go(*event);
}

void Endpoint::Impl::drop(Batch batch) {
    if (batch.empty()) return;
    metrics_.dropped(batch.size(), DropReason::overflow);
    fates_.dropped(batch, DropReason::overflow);
    overflow_log_.dropped(batch);
    keep_letters(batch);
}

/// A letter pushes nothing out, whatever the policy: it is kept and can be replayed again. Whether
/// its event is queued.
bool Endpoint::Impl::requeue_one(const EventPtr& event) {
    if (state_ != State::running || fits(*event)) return enqueue(event);
    metrics_.queued(1);
    metrics_.dropped(1, DropReason::overflow);
    fates_.dropped({&event, 1}, DropReason::overflow);
    overflow_log_.dropped({&event, 1});
    const LetGo let_go = queue_->skip(*event);
    if (let_go) let_go(*event);
    return false;
}

void Endpoint::Impl::begin_trim() {
    // What is in the log has no bounds here.
    if (is_shared_ || is_trimming_) return;
    if (loses_oldest() && !is_within_bounds()) tasks_.spawn(trim());
}

/// Brings the queue within bounds that have become smaller, without holding others up.
awaitable<void> Endpoint::Impl::trim() {
    const Flag trimming(is_trimming_);
    while (state_ == State::running && loses_oldest() && !is_within_bounds()) {
        std::size_t lost = 0;
        while (lost < events_at_once_max && !is_within_bounds() && lose_oldest()) ++lost;
        // All is under way, or on the disk still: on_ready() begins anew.
        if (lost == 0) break;
        wake_one();
        co_await net::post(net::use_awaitable);
        if (queue_->pending_events() <= under_way_.events) break;
    }
}

}  // namespace fanfare
