#include "fanfare/broadcaster.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cassert>
#include <unordered_map>

#include "base/wakeup.h"
#include "runtime/inbox.h"
#include "runtime/room.h"
#include "runtime/sharing.h"

namespace fanfare {

/// Answers of all shards on their way to the coroutine that asked. Shared, because the asker may
/// be cancelled before they are all there.
template <class Part>
struct Broadcaster::Gathering {
    Gathering(Executor asker, std::size_t shards)
        : executor(asker), parts(shards), missing(shards), complete(std::move(asker)) {}

    Executor executor;
    std::vector<Part> parts;
    std::atomic<std::size_t> missing;
    Wakeup complete;

    /// On the shard whose part has just been written.
    static void arrived(const std::shared_ptr<Gathering>& self) {
        if (self->missing.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
        net::post(self->executor, [self] { self->complete.notify(); });
    }
};

Broadcaster::Broadcaster(std::vector<Shard*> shards) {
    for (Shard* const shard : shards) lanes_.push_back({shard, {}});
    meta_under_way_ = std::make_shared<std::atomic<unsigned>>(0);
    rooms_ = std::make_unique<Rooms>(shards.front()->clock(), shards.front()->log());
}

Broadcaster::~Broadcaster() = default;

std::optional<Broadcaster::Written> Broadcaster::write(
    std::span<const std::shared_ptr<Event>> events, std::optional<NoRoom>* no_room) {
    History::Copies copies;
    if (history_ != nullptr) copies = history_->copy(events);
    const std::lock_guard lock(mutex_);
    if (is_closed_) return std::nullopt;
    // What can fail comes first: a request is accepted as a whole or not at all.
    for (const Lane& lane : lanes_) {
        if (!lane.endpoints.empty()) lane.shard->inbox_->reserve(events.size());
    }
    if (!rooms_->is_empty()) {
        std::optional<NoRoom> refused = rooms_->take(load_of(events));
        if (refused && no_room != nullptr) *no_room = refused;
        if (refused) return std::nullopt;
    }
    const Written written{last_seq_ + 1, last_seq_ + events.size()};
    const TimePoint now = lanes_.front().shard->clock().now();
    for (const std::shared_ptr<Event>& event : events) number(*event, now);
    note_written(events);
    if (history_ != nullptr) {
        history_->add(std::move(copies), written.first_seq, EventSource::http);
    }
    for (const Lane& lane : lanes_) {
        if (!lane.endpoints.empty()) lane.shard->inbox_->push(events);
    }
    return written;
}

void Broadcaster::number(Event& event, TimePoint now) {
    event.seq_ = ++last_seq_;
    event.accepted_ = now;
}

void Broadcaster::note_written(std::span<const std::shared_ptr<Event>> events) {
    events_ += events.size();
    for (const std::shared_ptr<Event>& event : events) bytes_ += event->payload().size();
}

bool Broadcaster::replay(const std::shared_ptr<Endpoint>& endpoint, std::vector<Replayed> events) {
    if (sharing_) return share_again(endpoint, std::move(events));
    History::Copies copies = copies_of(events);
    const std::lock_guard lock(mutex_);
    if (is_closed_ || !lane_of(*endpoint).has(endpoint.get())) return false;
    const TimePoint now = endpoint->shard().clock().now();
    const std::uint64_t first = last_seq_ + 1;
    for (const Replayed& replayed : events) number(*replayed.event, now);
    if (journal_ != nullptr) {
        store_again(endpoint, std::move(events), std::move(copies));
        return true;
    }
    if (history_ != nullptr) history_->add(std::move(copies), first, EventSource::replay);
    endpoint->shard().inbox_->push(
        [endpoint, events = std::move(events)] { endpoint->requeue(events); });
    return true;
}

History::Copies Broadcaster::copies_of(std::span<const Replayed> replayed) const {
    if (history_ == nullptr) return {};
    std::vector<std::shared_ptr<Event>> events;
    events.reserve(replayed.size());
    for (const Replayed& one : replayed) events.push_back(one.event);
    return history_->copy(events);
}

Broadcaster::Lane& Broadcaster::lane_of(const Endpoint& endpoint) {
    const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
        return lane.shard == &endpoint.shard();
    });
    assert(found != lanes_.end());
    return *found;
}

bool Broadcaster::Lane::has(const Endpoint* endpoint) const {
    return std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& entry) {
        const std::shared_ptr<Endpoint> known = entry.lock();
        return known != nullptr && known.get() == endpoint && !known->has_closed();
    });
}

/// Also those that have ended by themselves.
void Broadcaster::Lane::forget(const Endpoint* endpoint) {
    std::erase_if(endpoints, [&](const std::weak_ptr<Endpoint>& entry) {
        const std::shared_ptr<Endpoint> known = entry.lock();
        return known == nullptr || known.get() == endpoint;
    });
}

void Broadcaster::add(std::shared_ptr<Endpoint> endpoint) {
    const std::lock_guard lock(mutex_);
    if (!is_closed_) add_now(std::move(endpoint));
}

void Broadcaster::add_now(std::shared_ptr<Endpoint> endpoint) {
    if (endpoint->order_ == 0) {
        endpoint->order_ = ++endpoints_added_;
        endpoint->seq_before_ = last_seq_;
    }
    Lane& lane = lane_of(*endpoint);
    lane.forget(endpoint.get());
    lane.endpoints.push_back(endpoint);
    route_now();
    rooms_->add(endpoint->room_);
    Shard::Inbox& inbox = *endpoint->shard().inbox_;
    inbox.push([&inbox, endpoint = std::move(endpoint)] { inbox.add(endpoint); });
}

void Broadcaster::remove(std::shared_ptr<Endpoint> endpoint, Duration drain) {
    const std::lock_guard lock(mutex_);
    remove_now(std::move(endpoint), drain);
}

void Broadcaster::remove_now(std::shared_ptr<Endpoint> endpoint, Duration drain) {
    lane_of(*endpoint).forget(endpoint.get());
    route_now();
    rooms_->remove(*endpoint->room_);
    Shard::Inbox& inbox = *endpoint->shard().inbox_;
    inbox.push([&inbox, endpoint = std::move(endpoint), drain] { inbox.remove(endpoint, drain); });
}

void Broadcaster::change_now(EndpointOptions options) {
    std::shared_ptr<Endpoint> endpoint = find_now(options.name);
    if (!endpoint) return;
    endpoint->filter_ = options.filter;
    endpoint->asks_for_meta_ = options.asks_for_meta;
    route_now();
    rooms_->change(endpoint->room_, options.bounds);
    Shard::Inbox& inbox = *endpoint->shard().inbox_;
    // Shared, as commands must be copyable.
    const auto settings = std::make_shared<EndpointOptions>(std::move(options));
    inbox.push([endpoint = std::move(endpoint), settings] {
        endpoint->reconfigure(std::move(*settings));
    });
}

bool Broadcaster::apply(EndpointChanges changes) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return false;
    for (const std::string& name : changes.removed) {
        std::shared_ptr<Endpoint> endpoint = find_now(name);
        if (endpoint) remove_now(std::move(endpoint), changes.drain);
    }
    for (EndpointOptions& options : changes.changed) change_now(std::move(options));
    for (std::shared_ptr<Endpoint>& endpoint : changes.added) add_now(std::move(endpoint));
    return true;
}

std::shared_ptr<Endpoint> Broadcaster::find(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return find_now(name);
}

std::shared_ptr<Endpoint> Broadcaster::find_now(std::string_view name) const {
    std::shared_ptr<Endpoint> found;
    for (const Lane& lane : lanes_) {
        for (const std::weak_ptr<Endpoint>& entry : lane.endpoints) {
            std::shared_ptr<Endpoint> endpoint = entry.lock();
            const bool is_there = endpoint != nullptr && !endpoint->has_closed();
            const bool is_it = is_there && endpoint->name() == name;
            if (is_it && (!found || found->order_ < endpoint->order_)) found = std::move(endpoint);
        }
    }
    return found;
}

/// Runs `work(shard, part, done)` on every shard, after all events written so far, and returns
/// the parts once every shard has called done(). `counted`, if given, gets the counters as they
/// stand at that point of the order.
template <class Part, class Work>
awaitable<std::vector<Part>> Broadcaster::gather(Work work, Snapshot* counted) {
    const Executor executor = co_await net::this_coro::executor;
    const auto gathering = std::make_shared<Gathering<Part>>(executor, lanes_.size());
    {
        const std::lock_guard lock(mutex_);
        if (counted != nullptr) {
            counted->ingested_events = events_;
            counted->ingested_bytes = bytes_;
        }
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            Shard* const shard = lanes_[i].shard;
            shard->inbox_->push([shard, i, work, gathering] {
                work(*shard, gathering->parts[i], [gathering] { gathering->arrived(gathering); });
            });
        }
    }
    co_await gathering->complete.wait();
    co_return std::move(gathering->parts);
}

awaitable<Snapshot> Broadcaster::snapshot() {
    using Part = std::vector<std::pair<std::uint64_t, EndpointSnapshot>>;
    const auto copy = [](Shard& shard, Part& part, const std::function<void()>& done) {
        part = shard.inbox_->snapshot();
        done();
    };
    Snapshot snapshot;
    std::vector<Part> parts = co_await gather<Part>(copy, &snapshot);

    Part all;
    for (Part& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::unordered_map<std::string, std::uint64_t> youngest;
    for (const auto& [order, endpoint] : all) youngest[endpoint.name] = order;
    for (auto& [order, endpoint] : all) {
        if (youngest[endpoint.name] == order) snapshot.endpoints.push_back(std::move(endpoint));
    }
    co_return snapshot;
}

awaitable<std::vector<EndpointFate>> Broadcaster::fates(std::uint64_t seq) {
    using Part = std::vector<std::pair<std::uint64_t, EndpointFate>>;
    const auto ask = [seq](Shard& shard, Part& part, const std::function<void()>& done) {
        part = shard.inbox_->fates(seq);
        done();
    };
    std::vector<Part> parts = co_await gather<Part>(ask, nullptr);
    Part all;
    for (Part& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<EndpointFate> fates;
    for (auto& [order, fate] : all) fates.push_back(std::move(fate));
    co_return fates;
}

awaitable<std::optional<std::size_t>> Broadcaster::purge(std::shared_ptr<Endpoint> endpoint) {
    using Purging = Gathering<std::optional<std::size_t>>;
    const Executor executor = co_await net::this_coro::executor;
    const auto purging = std::make_shared<Purging>(executor, 1);
    // Behind the events that are on their way.
    endpoint->shard().inbox_->push([endpoint, purging] {
        endpoint->purge([purging](std::optional<std::size_t> events) {
            purging->parts[0] = events;
            Purging::arrived(purging);
        });
    });
    co_await purging->complete.wait();
    if (journal_ != nullptr) co_await flush();
    co_return purging->parts[0];
}

void Broadcaster::close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
}

void Broadcaster::cut_off() {
    const std::lock_guard lock(mutex_);
    for (const Lane& lane : lanes_) {
        Shard::Inbox& inbox = *lane.shard->inbox_;
        inbox.push([&inbox] { inbox.cut_off(); });
    }
}

awaitable<void> Broadcaster::drain(TimePoint deadline) {
    close();
    struct Nothing {};
    const auto end = [deadline](Shard& shard, Nothing&, std::function<void()> done) {
        shard.inbox_->drain(deadline, std::move(done));
    };
    co_await gather<Nothing>(end, nullptr);
}

}  // namespace fanfare
