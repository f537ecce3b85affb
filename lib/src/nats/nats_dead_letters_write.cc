// How letters get into the stream, and those out of it whose events were queued again.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "nats/letter_codec.h"
#include "nats/nats_dead_letters_impl.h"

namespace fanfare {
namespace {

/// Whether the message as such is refused, by the connection or by the stream.
bool is_too_large(const JsError& error) {
    constexpr int message_size_exceeds_maximum = 10054;
    const bool is_by_connection = error.status() == 400 && error.number() == 0;
    return is_by_connection || error.number() == message_size_exceeds_maximum;
}

}  // namespace

void NatsDeadLetters::Impl::put(DeadLetter letter) noexcept {
    if (!letter.event) return lose(LostReason::write, 1);
    try {
        const std::uint64_t bytes = bytes_of(letter);
        const std::uint64_t bytes_max = std::min(options_.bytes_max, options_.waiting_bytes_max);
        if (bytes > bytes_max) {
            lose(bytes > options_.bytes_max ? LostReason::too_large : LostReason::backlog, 1);
            return let_go(letter);
        }
        const auto waiting = std::make_shared<Waiting>();
        waiting->letter = std::move(letter);
        waiting->bytes = bytes;
        std::vector<WaitingPtr> gone;
        {
            const std::lock_guard lock(mutex_);
            while (!waiting_.empty() && waiting_bytes_ + bytes > bytes_max) {
                waiting_bytes_ -= waiting_.front()->bytes;
                gone.push_back(std::move(waiting_.front()));
                waiting_.pop_front();
            }
            waiting_.push_back(waiting);
            waiting_bytes_ += bytes;
        }
        const bool is_backlog = options_.waiting_bytes_max < options_.bytes_max;
        lose(is_backlog ? LostReason::backlog : LostReason::evicted, gone.size());
        for (const WaitingPtr& lost : gone) let_go(lost->letter);
    } catch (...) {
        lose(LostReason::backlog, 1);  // there is no memory
    }
    schedule();
}

void NatsDeadLetters::Impl::discard(std::span<const std::int64_t> letters) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        discarded_.insert(discarded_.end(), letters.begin(), letters.end());
    } catch (...) {
        return;  // There is no memory: the letters stay until the next start.
    }
    schedule();
}

void NatsDeadLetters::Impl::schedule() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(is_scheduled_, true)) return;
    }
    try {
        net::post(executor(), [self = shared_from_this()] {
            {
                const std::lock_guard lock(self->mutex_);
                self->is_scheduled_ = false;
            }
            self->pump();
        });
    } catch (...) {
        // The next one tries again.
        const std::lock_guard lock(mutex_);
        is_scheduled_ = false;
    }
}

void NatsDeadLetters::Impl::pump() {
    end_flushes();
    if (!is_ready_) return;
    while (const WaitingPtr next = take_next()) send(next);
    erase_next();
}

/// Null if there is none, or enough is under way.
NatsDeadLetters::Impl::WaitingPtr NatsDeadLetters::Impl::take_next() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || in_flight_ >= in_flight_max) return nullptr;
    WaitingPtr next = std::move(waiting_.front());
    waiting_.pop_front();
    ++in_flight_;
    return next;
}

void NatsDeadLetters::Impl::send(const WaitingPtr& waiting) {
    NatsOutgoing message;
    message.subject = subject_of(waiting->letter.endpoint);
    message.headers = headers_of(waiting->letter);
    message.payload = waiting->letter.event->payload();
    js_.publish(message, publish_timeout,
                [self = shared_from_this(), waiting](const JsResult<JsPubAck>& result) {
                    self->sent(waiting, result);
                });
}

void NatsDeadLetters::Impl::sent(const WaitingPtr& waiting, const JsResult<JsPubAck>& result) {
    const bool is_refused = result.has_error() && is_too_large(result.error());
    const bool is_ended = result.has_value() || is_refused;
    {
        const std::lock_guard lock(mutex_);
        --in_flight_;
        if (is_ended) waiting_bytes_ -= waiting->bytes;
        // Behind the others, so that one which is refused again and again does not hold them up.
        if (!is_ended) waiting_.push_back(waiting);
    }
    if (is_ended) {
        if (is_refused) lose(LostReason::too_large, 1);
        if (!is_refused) ++stored_;
        let_go(waiting->letter);
        return pump();
    }
    if (is_closed_) return;
    tell_trouble(result.error().text());
    is_ready_ = false;  // the stream may have gone
    try_later();
}

void NatsDeadLetters::Impl::erase_next() {
    for (;;) {
        std::int64_t letter = 0;
        {
            const std::lock_guard lock(mutex_);
            if (discarded_.empty() || erasing_ >= in_flight_max) return;
            letter = discarded_.front();
            discarded_.pop_front();
            ++erasing_;
        }
        erase(static_cast<std::uint64_t>(letter),
              [self = shared_from_this(), letter](std::optional<bool> is_erased) {
                  self->erased(letter, is_erased);
              });
    }
}

void NatsDeadLetters::Impl::erased(std::int64_t letter, std::optional<bool> is_erased) {
    {
        const std::lock_guard lock(mutex_);
        --erasing_;
        if (is_erased) replaying_.erase(letter);
        if (!is_erased) discarded_.push_back(letter);
    }
    if (is_erased) {
        if (*is_erased) ++replayed_;
        return pump();
    }
    if (is_closed_) return;
    is_ready_ = false;
    try_later();
}

/// True: it was there; false: it was not; nothing: it may be there.
void NatsDeadLetters::Impl::erase(std::uint64_t seq,
                                  std::function<void(std::optional<bool>)> on_erased) {
    const auto self = shared_from_this();
    js_.delete_message(
        stream_, seq, [self, seq, on_erased = std::move(on_erased)](const JsResult<bool>& result) {
            if (result.has_value()) return on_erased(true);
            if (result.error().is_unavailable()) return on_erased(std::nullopt);
            // Servers of different versions say it differently.
            JsWhich which;
            which.seq = seq;
            self->js_.get(self->stream_, which, [on_erased](const JsResult<JsStored>& found) {
                const bool is_gone = found.has_error() && found.error().is_not_found();
                on_erased(is_gone ? std::optional(false) : std::nullopt);
            });
        });
}

}  // namespace fanfare
