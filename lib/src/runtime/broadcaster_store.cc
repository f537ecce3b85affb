// How a Broadcaster writes events that are stored first.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "base/exceptions.h"
#include "base/wakeup.h"
#include "fanfare/broadcaster.h"
#include "runtime/inbox.h"
#include "runtime/sharing.h"
#include "runtime/steady_wall.h"
#include "store/journal.h"

namespace fanfare {
namespace {

/// Of one command, so that a large request holds a shard up no longer than many small ones.
constexpr std::size_t events_at_once_max = 256;

Interest interest_of(const Filter* filter, const Endpoint& endpoint, const Event& event) {
    if (endpoint.has_closed() || endpoint.is_gone()) return Interest::ignored;
    try {
        return filter == nullptr || filter->wants(event) ? Interest::wanted : Interest::ignored;
    } catch (...) {
        return Interest::failed;
    }
}

std::optional<Broadcaster::Stored> refusal_of(Intake intake) {
    switch (intake) {
        case Intake::taken:
            return std::nullopt;
        case Intake::full:
            return Broadcaster::Stored::full;
        case Intake::overloaded:
            return Broadcaster::Stored::overloaded;
        case Intake::broken:
            break;
    }
    return Broadcaster::Stored::failed;
}

}  // namespace

/// Events on their way to the disk, and who wants them.
struct Broadcaster::Storing {
    std::vector<std::shared_ptr<Event>> events;
    std::shared_ptr<const Routes> routes;
    std::vector<Interest> interests;  // by route, and within that by event
    Written written{0, 0};
    History::Copies copies;
    OnStored on_stored;

    /// Asks all filters.
    void judge(std::shared_ptr<const Routes> asked);
    Interest interest(std::size_t route, std::size_t event) const {
        return interests[route * events.size() + event];
    }
    /// After they have been numbered.
    Append append(const SteadyWall& times) const;
    void add_wanted(std::size_t route, std::vector<EndpointRun>& runs) const;
    void take(Endpoint& endpoint, std::size_t route, std::size_t event) const;
    void offer(const Shard& shard, std::size_t first, std::size_t last) const;
};

void Broadcaster::Storing::judge(std::shared_ptr<const Routes> asked) {
    routes = std::move(asked);
    interests.clear();
    interests.reserve(routes->size() * events.size());
    for (const Route& route : *routes) {
        const std::shared_ptr<Endpoint> endpoint = route.endpoint.lock();
        for (const std::shared_ptr<Event>& event : events) {
            interests.push_back(endpoint ? interest_of(route.filter.get(), *endpoint, *event)
                                         : Interest::ignored);
        }
    }
}

Append Broadcaster::Storing::append(const SteadyWall& times) const {
    Append append;
    append.events.reserve(events.size());
    for (const std::shared_ptr<Event>& event : events) {
        append.events.push_back({event->seq(), times.wall(event->accepted()), event});
    }
    for (std::size_t i = 0; i < routes->size(); ++i) add_wanted(i, append.wanted);
    return append;
}

void Broadcaster::Storing::add_wanted(std::size_t route, std::vector<EndpointRun>& runs) const {
    const EndpointId id = (*routes)[route].store_id;
    bool is_run = false;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (interest(route, i) != Interest::wanted) {
            is_run = false;
            continue;
        }
        const std::uint64_t seq = events[i]->seq();
        if (!is_run) runs.push_back({id, {seq, seq}, 0});
        is_run = true;
        runs.back().seqs.last = seq;
        runs.back().bytes += events[i]->payload().size();
    }
}

/// What one of them cannot take is on the disk, and there after a restart.
void Broadcaster::Storing::take(Endpoint& endpoint, std::size_t route, std::size_t event) const {
    try {
        endpoint.take(events[event], interest(route, event));
    } catch (...) {
        endpoint.shard().log().error(
            "shard", "offering an event failed",
            {{"endpoint", endpoint.name()}, {"error", describe(std::current_exception())}});
    }
}

/// On the shard.
void Broadcaster::Storing::offer(const Shard& shard, std::size_t first, std::size_t last) const {
    for (std::size_t route = 0; route < routes->size(); ++route) {
        if ((*routes)[route].shard != &shard) continue;
        const std::shared_ptr<Endpoint> endpoint = (*routes)[route].endpoint.lock();
        if (!endpoint) continue;
        for (std::size_t i = first; i < last; ++i) take(*endpoint, route, i);
    }
}

void Broadcaster::keep_in(Journal& journal, const SteadyWall& times, std::uint64_t last_seq) {
    const std::lock_guard lock(mutex_);
    journal_ = &journal;
    times_ = &times;
    last_seq_ = last_seq;
    route_now();
}

void Broadcaster::route_now() {
    if (journal_ == nullptr) return;
    auto routes = std::make_shared<Routes>();
    for (const Lane& lane : lanes_) {
        for (const std::weak_ptr<Endpoint>& entry : lane.endpoints) {
            const std::shared_ptr<Endpoint> endpoint = entry.lock();
            if (!endpoint) continue;
            routes->push_back({lane.shard, endpoint->store_id_, entry, endpoint->filter_});
        }
    }
    routes_ = std::move(routes);
}

std::shared_ptr<const Broadcaster::Routes> Broadcaster::routes() {
    const std::lock_guard lock(mutex_);
    return routes_;
}

std::optional<Broadcaster::Stored> Broadcaster::store(
    std::span<const std::shared_ptr<Event>> events, OnStored on_stored, const Executor* loop) {
    if (sharing_) return share(events, std::move(on_stored));
    const auto storing = std::make_shared<Storing>();
    storing->events.assign(events.begin(), events.end());
    storing->on_stored = std::move(on_stored);
    if (history_ != nullptr) storing->copies = history_->copy(events);
    std::optional<Stored> refused;
    do {
        storing->judge(routes());
    } while (!append_now(storing, loop, refused));
    return refused;
}

/// False if what the filters say is out of date: no event is offered to a mixture of old and new
/// endpoints.
bool Broadcaster::append_now(const std::shared_ptr<Storing>& storing, const Executor* loop,
                             std::optional<Stored>& refused) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        refused = Stored::closed;
        return true;
    }
    if (storing->routes != routes_) return false;
    const TimePoint now = lanes_.front().shard->clock().now();
    const std::uint64_t before = last_seq_;
    for (const std::shared_ptr<Event>& event : storing->events) number(*event, now);
    if (!storing->events.empty()) storing->written = {before + 1, last_seq_};
    const auto on_appended = [this, storing](Appended appended) {
        if (appended == Appended::stored) return on_stored(storing);
        const bool is_full = appended == Appended::full;
        storing->on_stored(is_full ? Stored::full : Stored::failed, {});
    };
    const Intake intake = journal_->append(storing->append(*times_), on_appended, loop);
    refused = refusal_of(intake);
    if (refused) last_seq_ = before;
    return true;
}

void Broadcaster::on_stored(const std::shared_ptr<Storing>& storing) {
    try {
        push_stored(storing);
    } catch (...) {
        // There is no memory. The events are there after a restart; that they are taken is not
        // said, so that nobody has to wait for one.
        return storing->on_stored(Stored::failed, {});
    }
    storing->on_stored(Stored::stored, storing->written);
}

void Broadcaster::push_stored(const std::shared_ptr<Storing>& storing) {
    const std::lock_guard lock(mutex_);
    const std::size_t count = storing->events.size();
    note_written(storing->events);
    if (history_ != nullptr && count > 0) {
        history_->add(std::move(storing->copies), storing->written.first_seq, EventSource::http);
    }
    for (const Lane& lane : lanes_) {
        Shard* const shard = lane.shard;
        const bool is_asked =
            std::any_of(storing->routes->begin(), storing->routes->end(),
                        [shard](const Route& route) { return route.shard == shard; });
        if (!is_asked) continue;
        for (std::size_t first = 0; first < count; first += events_at_once_max) {
            const std::size_t last = std::min(first + events_at_once_max, count);
            shard->inbox_->push(
                [storing, shard, first, last] { storing->offer(*shard, first, last); },
                last - first);
        }
    }
}

/// With the mutex held. For one endpoint only, whatever its filter says.
void Broadcaster::store_again(const std::shared_ptr<Endpoint>& endpoint,
                              std::vector<Replayed> events, History::Copies copies) {
    Append append;
    for (const Replayed& replayed : events) {
        const Event& event = *replayed.event;
        append.events.push_back({event.seq(), times_->wall(event.accepted()), replayed.event});
        append.wanted.push_back(
            {endpoint->store_id_, {event.seq(), event.seq()}, event.payload().size()});
    }
    const auto shared = std::make_shared<std::vector<Replayed>>(std::move(events));
    const auto settle = [endpoint, shared](bool is_stored) {
        endpoint->shard().inbox_->push([endpoint, shared, is_stored] {
            is_stored ? endpoint->requeue(*shared) : endpoint->not_requeued(*shared);
        });
    };
    const auto kept = std::make_shared<History::Copies>(std::move(copies));
    const auto on_appended = [this, settle, shared, kept](Appended appended) {
        const bool is_stored = appended == Appended::stored;
        // Who finds it in the history and asks for its fate comes behind it.
        const std::lock_guard lock(mutex_);
        if (is_stored && history_ != nullptr && !shared->empty()) {
            const std::uint64_t first = shared->front().event->seq();
            history_->add(std::move(*kept), first, EventSource::replay);
        }
        settle(is_stored);
    };
    const Intake intake = journal_->append(std::move(append), on_appended);
    if (intake != Intake::taken) settle(false);
}

/// Until all is on the disk that was handed over, or cannot be written.
awaitable<void> Broadcaster::flush() {
    const Executor executor = co_await net::this_coro::executor;
    const auto done = std::make_shared<Wakeup>(executor);
    journal_->flush([done, executor](bool) { net::post(executor, [done] { done->notify(); }); });
    co_await done->wait();
}

}  // namespace fanfare
