// How a Broadcaster writes events to a log that several processes share.
#include <algorithm>
#include <utility>

#include "runtime/inbox.h"
#include "runtime/room.h"
#include "runtime/sharing.h"
#include "runtime/steady_wall.h"

namespace fanfare {
namespace {

Broadcaster::Stored result_of(Published published) {
    switch (published) {
        case Published::stored:
            return Broadcaster::Stored::stored;
        case Published::full:
            return Broadcaster::Stored::full;
        case Published::unavailable:
            return Broadcaster::Stored::unavailable;
        case Published::refused:
            break;
    }
    return Broadcaster::Stored::refused;
}

Broadcaster::Written written_of(std::vector<std::uint64_t> seqs) {
    Broadcaster::Written written{seqs.front(), seqs.back()};
    for (std::size_t i = 1; i < seqs.size(); ++i) {
        if (seqs[i] == seqs[i - 1] + 1) continue;
        written.seqs = std::move(seqs);
        break;
    }
    return written;
}

std::vector<LogEntry> entries_of(std::span<const std::shared_ptr<Event>> events, WallTime now) {
    std::vector<LogEntry> entries;
    entries.reserve(events.size());
    for (const std::shared_ptr<Event>& event : events) {
        LogEntry entry;
        entry.event = event;
        entry.accepted_at = now;
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// An event was in the log before, perhaps a moment ago: a letter is what tells its replays apart.
/// The same letter is queued once, though it is asked for again as no answer has come.
std::string dedup_key_of(const Replayed& replayed, const LogEntry& entry, std::uint64_t number) {
    std::string key = "replay." + entry.endpoint;
    if (replayed.letter != 0) {
        key += ".letter." + std::to_string(replayed.letter);
    } else {
        const auto at = entry.accepted_at.time_since_epoch().count();
        key += "." + std::to_string(at) + "." + std::to_string(number);
    }
    return key + "." + std::string(replayed.event->id());
}

}  // namespace

std::uint64_t Broadcaster::Sharing::begin() {
    const std::lock_guard lock(mutex_);
    under_way_.insert(++last_);
    return last_;
}

void Broadcaster::Sharing::end(std::uint64_t append, Stored result) {
    std::list<Waiter> ready;
    {
        const std::lock_guard lock(mutex_);
        under_way_.erase(append);
        for (Waiter& waiter : waiters_) {
            const bool is_first = waiter.result == Stored::stored && append <= waiter.until;
            if (is_first) waiter.result = result;
        }
        ready = take_ready();
    }
    for (const Waiter& waiter : ready) waiter.on_stored(waiter.result, {});
}

/// With the mutex held. Those who wait stand in the order in which they came.
std::list<Broadcaster::Sharing::Waiter> Broadcaster::Sharing::take_ready() {
    const std::uint64_t oldest = under_way_.empty() ? last_ + 1 : *under_way_.begin();
    const auto end = std::find_if(waiters_.begin(), waiters_.end(),
                                  [oldest](const Waiter& w) { return w.until >= oldest; });
    std::list<Waiter> ready;
    ready.splice(ready.end(), waiters_, waiters_.begin(), end);
    return ready;
}

void Broadcaster::Sharing::wait(OnStored on_stored) {
    std::list<Waiter> ready;
    {
        const std::lock_guard lock(mutex_);
        waiters_.push_back({last_, Stored::stored, std::move(on_stored)});
        ready = take_ready();
    }
    for (const Waiter& waiter : ready) waiter.on_stored(waiter.result, {});
}

void Broadcaster::keep_in(SharedLog& log, const SteadyWall& times) {
    sharing_ = std::make_unique<Sharing>(log, times);
}

/// Nobody is asked: who wants them finds out when they come, in whatever process.
std::optional<Broadcaster::Stored> Broadcaster::share(
    std::span<const std::shared_ptr<Event>> events, OnStored on_stored) {
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return Stored::closed;
    }
    if (events.empty()) {
        sharing_->wait(std::move(on_stored));
        return std::nullopt;
    }
    const WallTime now = sharing_->times.wall(lanes_.front().shard->clock().now());
    const std::uint64_t append = sharing_->begin();
    const auto on_published = [this, append, count = events.size(), load = load_of(events),
                               on_stored = std::move(on_stored)](Published published,
                                                                 std::vector<std::uint64_t> seqs) {
        const bool is_answered = published != Published::stored || seqs.size() == count;
        const Stored result = is_answered ? result_of(published) : Stored::unavailable;
        if (result == Stored::stored) {
            const std::lock_guard lock(mutex_);
            events_ += load.events;
            bytes_ += load.bytes;
        }
        on_stored(result, result == Stored::stored ? written_of(std::move(seqs)) : Written{0, 0});
        sharing_->end(append, result);
    };
    if (sharing_->log.append(entries_of(events, now), on_published)) return std::nullopt;
    sharing_->end(append, Stored::overloaded);
    return Stored::overloaded;
}

/// For one endpoint only, whatever its filter says, in whatever process.
bool Broadcaster::share_again(const std::shared_ptr<Endpoint>& endpoint,
                              std::vector<Replayed> events) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_ || !lane_of(*endpoint).has(endpoint.get())) return false;
        number = last_seq_ += events.size();
    }
    const TimePoint now = endpoint->shard().clock().now();
    std::vector<LogEntry> entries;
    for (const Replayed& replayed : events) {
        LogEntry entry;
        entry.event = replayed.event;
        entry.accepted_at = sharing_->times.wall(now);
        entry.source = EventSource::replay;
        entry.endpoint = endpoint->name();
        entry.dedup_key = dedup_key_of(replayed, entry, number--);
        entries.push_back(std::move(entry));
    }
    const auto shared = std::make_shared<std::vector<Replayed>>(std::move(events));
    const auto settle = [endpoint, shared](bool is_stored) {
        endpoint->shard().inbox_->push([endpoint, shared, is_stored] {
            is_stored ? endpoint->requeue(*shared) : endpoint->not_requeued(*shared);
        });
    };
    const auto on_published = [settle](Published published, const std::vector<std::uint64_t>&) {
        settle(published == Published::stored);
    };
    if (!sharing_->log.append(std::move(entries), on_published)) settle(false);
    return true;
}

/// Whose filter wants it is asked when it comes.
bool Broadcaster::share_meta(std::shared_ptr<Event> event, std::string_view about) {
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_ || *meta_under_way_ >= meta_under_way_max) return false;
        if (!about.empty() && !find_now(about)) return false;
        ++*meta_under_way_;
    }
    std::vector<LogEntry> entries(1);
    LogEntry& entry = entries.front();
    entry.event = std::move(event);
    entry.accepted_at = sharing_->times.wall(lanes_.front().shard->clock().now());
    entry.source = EventSource::meta;
    entry.endpoint = about;
    const auto counter = meta_under_way_;
    const auto on_published = [counter](Published, const std::vector<std::uint64_t>&) {
        --*counter;
    };
    if (sharing_->log.append(std::move(entries), on_published)) return true;
    --*counter;
    return false;
}

}  // namespace fanfare
