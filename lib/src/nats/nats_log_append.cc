// How entries get into the stream.
#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "nats/entry_codec.h"
#include "nats/nats_log_impl.h"

namespace fanfare {

namespace {

/// A dead letter is an event and some headers more, for which there has to be room, too.
constexpr std::size_t letter_room = 4096;

std::size_t bytes_of_headers(const NatsHeaders& headers) {
    constexpr std::size_t line = 4;  // ": " and the end of it
    std::size_t bytes = 0;
    for (const auto& [name, value] : headers) bytes += name.size() + value.size() + line;
    return bytes;
}

/// Of one event. Others that are published meanwhile use up numbers, too.
constexpr unsigned repeats_max = 100;

}  // namespace

/// Entries that were appended together. Touched on the loop only once the first is sent.
struct NatsLog::Impl::Group {
    std::shared_ptr<const NatsLogOptions> options;
    std::vector<LogEntry> entries;
    OnPublished on_published;
    TimePoint began;
    std::vector<std::uint64_t> seqs;
    std::size_t missing = 0;
    Published outcome = Published::stored;
};

bool NatsLog::Impl::append(std::vector<LogEntry> entries, OnPublished on_published) {
    const std::shared_ptr<const NatsLogOptions> options = this->options();
    const std::size_t count = entries.size();
    if (waiting_.fetch_add(count) + count > options->waiting_max) {
        waiting_ -= count;
        return false;
    }
    const auto group = std::make_shared<Group>();
    group->options = options;
    group->entries = std::move(entries);
    group->on_published = std::move(on_published);
    group->began = connection_.clock().now();
    group->seqs.resize(count);
    group->missing = count;
    if (!is_open_ && places_missing_ <= 0) is_open_ = true;
    if (count == 0 || !is_open_ || !connection_.is_connected()) {
        refuse_all(group, count, Published::unavailable);
        return true;
    }
    // All or none: nothing is sent before it is known that all fit.
    std::vector<NatsHeaders> headers;
    headers.reserve(count);
    const std::size_t bytes_max = connection_.payload_max();
    for (const LogEntry& entry : group->entries) {
        headers.push_back(headers_of(entry));
        const std::size_t bytes = entry.event->payload().size() + bytes_of_headers(headers.back());
        if (bytes_max == 0 || bytes + letter_room <= bytes_max) continue;
        refuse_all(group, count, Published::refused);
        return true;
    }
    for (std::size_t i = 0; i < count; ++i) publish(group, i, std::move(headers[i]), 0);
    return true;
}

void NatsLog::Impl::refuse_all(const std::shared_ptr<Group>& group, std::size_t entries,
                               Published how) {
    net::post(connection_.executor(), [self = shared_from_this(), group, entries, how] {
        self->waiting_ -= entries;
        if (self->is_closed_) return;
        {
            const std::lock_guard lock(self->mutex_);
            self->figures_.failed += entries;
        }
        group->on_published(entries == 0 ? Published::stored : how, {});
    });
}

/// `repeats`: how often it has been published already.
void NatsLog::Impl::publish(const std::shared_ptr<Group>& group, std::size_t index,
                            NatsHeaders headers, unsigned repeats) {
    const LogEntry& entry = group->entries[index];
    const NatsLogOptions& options = *group->options;
    const unsigned partition = options.partition ? options.partition(*entry.event) : 0;
    const NatsOutgoing message{.subject = subject(partition),
                               .headers = std::move(headers),
                               .payload = entry.event->payload()};
    const Known known{highest_seq_, epoch_};
    const auto on_ack = [self = shared_from_this(), group, index, repeats,
                         known](const JsResult<JsPubAck>& ack) {
        if (ack && self->is_reused(*ack, known)) return self->reused(group, index, repeats, *ack);
        if (ack && known.epoch == self->epoch_) self->knows(ack->seq);
        self->published(ack, index, *group);
    };
    api_.publish(message, options.ack_timeout, on_ack);
}

void NatsLog::Impl::knows(std::uint64_t seq) noexcept {
    std::uint64_t known = highest_seq_;
    while (known < seq && !highest_seq_.compare_exchange_weak(known, seq)) {
    }
}

/// The stream has lost its end, as a server that should not lead may have. Consumers that were
/// farther take what has such a number for done with. `known`: when it was published.
bool NatsLog::Impl::is_reused(const JsPubAck& ack, const Known& known) const noexcept {
    if (is_closed_ || known.epoch != epoch_) return false;
    if (!ack.is_duplicate) return ack.seq <= known.seq;
    // It has been published before, at such a time.
    return ack.seq >= reused_first_ && ack.seq <= reused_last_;
}

/// Unless the stream has been made anew, the entry needs another number.
void NatsLog::Impl::reused(const std::shared_ptr<Group>& group, std::size_t index, unsigned repeats,
                           const JsPubAck& ack) {
    if (reused_last_ != 0) return publish_again(group, index, repeats, ack.seq);
    const auto on_info = [self = shared_from_this(), group, index, repeats,
                          ack](const JsResult<JsStreamInfo>& info) {
        if (self->is_closed_) return;
        if (!info) return self->published(info.error(), index, *group);
        if (info->created == self->stream_id_) {
            return self->publish_again(group, index, repeats, ack.seq);
        }
        self->ensured(info);
        self->published(ack, index, *group);
    };
    api_.stream_info(stream_, on_info);
}

void NatsLog::Impl::publish_again(const std::shared_ptr<Group>& group, std::size_t index,
                                  unsigned repeats, std::uint64_t seq) {
    if (reused_last_ == 0) {
        connection_.log().warn(
            "nats", "the stream gives a number for the second time",
            {{"stream", stream_}, {"seq", seq}, {"known_seq", highest_seq_.load()}});
        reused_first_ = seq;
    }
    reused_first_ = std::min(reused_first_, seq);
    reused_last_ = std::max(reused_last_, highest_seq_.load());
    if (repeats >= repeats_max) {
        // Its sender tries again, and uses up more numbers.
        return published(JsError(503, 0, "every number is one given before"), index, *group);
    }
    LogEntry& entry = group->entries[index];
    entry.dedup_key = std::string(entry.event->id()) + "#" + std::to_string(seq);
    publish(group, index, headers_of(entry), repeats + 1);
}

void NatsLog::Impl::published(const JsResult<JsPubAck>& ack, std::size_t index, Group& group) {
    --waiting_;
    if (is_closed_) return;
    Published outcome = Published::stored;
    if (ack) {
        group.seqs[index] = ack->seq;
    } else if (is_full(ack.error())) {
        outcome = Published::full;
    } else {
        outcome = ack.error().status() == 400 ? Published::refused : Published::unavailable;
    }
    // The one that says most of what to do next. Indexed by the enumerator.
    const auto rank = [](Published what) {
        constexpr std::array<int, 4> ranks = {0, 2, 1, 3};
        return ranks.at(static_cast<std::size_t>(what));
    };
    if (rank(outcome) > rank(group.outcome)) group.outcome = outcome;
    {
        const std::lock_guard lock(mutex_);
        if (ack) {
            ++figures_.published;
            if (ack->is_duplicate) ++figures_.duplicates;
            figures_.publish_duration.observe(connection_.clock().now() - group.began);
        } else {
            ++figures_.failed;
        }
    }
    if (--group.missing != 0) return;
    if (group.outcome != Published::stored) group.seqs.clear();
    group.on_published(group.outcome, std::move(group.seqs));
}

}  // namespace fanfare
