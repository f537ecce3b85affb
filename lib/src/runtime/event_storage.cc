#include "runtime/event_storage.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "base/exceptions.h"

namespace fanfare {
namespace {

/// If there is no room even for that.
constexpr Duration forget_again = std::chrono::minutes(1);

}  // namespace

Result<std::unique_ptr<EventStorage>> EventStorage::open(const StorageOptions& options,
                                                         Clock& clock, Log& log,
                                                         std::function<void()> on_failed) {
    SqliteStoreOptions store_options;
    store_options.dir = options.dir;
    store_options.bytes_max = options.disk_bytes_max;
    store_options.recovery = options.recovery;
    Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(store_options, log);
    if (!store) return store.error();
    return std::unique_ptr<EventStorage>(
        new EventStorage(options, std::move(*store), clock, log, std::move(on_failed)));
}

EventStorage::EventStorage(const StorageOptions& options, std::unique_ptr<SqliteStore> store,
                           Clock& clock, Log& log, std::function<void()> on_failed)
    : options_(options),
      clock_(clock),
      log_(log),
      times_(clock),
      id_(store->id()),
      last_seq_(store->last_seq()),
      store_(std::move(store)),
      guard_(context_.get_executor()),
      forget_(clock.make_alarm(context_.get_executor())) {
    const auto on_broken = [this, on_failed = std::move(on_failed)](const std::string& error) {
        log_.error("store", "the store has failed: nothing more is taken, restart to recover",
                   {{"error", error}});
        on_failed();
    };
    journal_ = std::make_unique<Journal>(*store_, context_.get_executor(), clock_, on_broken);
    journal_->on_full([this](bool is_full) { tell_of_room(is_full); });
    journal_->use([this](EventStore& s) { tell_of_backlog(s); });
    thread_ = std::thread([this] { work(); });
}

EventStorage::~EventStorage() {
    net::post(context_, [this] {
        forget_.reset();
        journal_->end();
    });
    guard_.reset();
    thread_.join();
}

void EventStorage::tell_of_room(bool is_full) {
    const std::uint64_t bytes_max = options_.disk_bytes_max;
    if (is_full) {
        log_.error("store", "no room for events on the disk, senders are asked to wait",
                   {{"dir", options_.dir}, {"max_disk", bytes_max}});
    } else {
        log_.info("store", "events are stored again", {{"dir", options_.dir}});
    }
}

void EventStorage::tell_of_backlog(EventStore& store) {
    for (const StoredEndpoint& endpoint : store.endpoints()) {
        if (endpoint.pending.events == 0) continue;
        log_.info("store", "events are there from before",
                  {{"endpoint", endpoint.name},
                   {"events", endpoint.pending.events},
                   {"bytes", endpoint.pending.bytes}});
    }
}

/// An exception here is one for want of memory.
void EventStorage::work() {
    for (;;) {
        try {
            context_.run();
            return;
        } catch (...) {
            log_.error("store", "the disk's thread caught an exception",
                       {{"error", describe(std::current_exception())}});
        }
    }
}

/// Nothing if the store breaks, as `work` then goes without having been called.
template <class T>
Result<T> EventStorage::ask(std::function<T(EventStore&)> work) {
    const auto promise = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> answer = promise->get_future();
    journal_->use([promise = std::move(promise), work = std::move(work)](EventStore& store) {
        try {
            promise->set_value(work(store));
        } catch (const StoreFull& full) {
            promise->set_value(Error(full.what()));
        }
    });
    try {
        return answer.get();
    } catch (const std::future_error&) {
        return Error("the store has failed");
    }
}

Result<std::vector<DurableQueue::Place>> EventStorage::open_endpoints(
    const std::vector<std::string>& names) {
    using Places = std::vector<DurableQueue::Place>;
    if (names.empty()) return Places();
    // What one of them was done with before it went is not to count as pending.
    if (!flush(options_.ack_timeout)) return Error("the disk does not answer");
    return ask<Places>([names](EventStore& store) {
        const std::vector<EndpointId> ids = store.open_endpoints(names);
        const std::vector<StoredEndpoint> endpoints = store.endpoints();
        Places places;
        for (const EndpointId id : ids) {
            const auto found =
                std::find_if(endpoints.begin(), endpoints.end(),
                             [id](const StoredEndpoint& endpoint) { return endpoint.id == id; });
            places.push_back({id, found->pending, found->oldest_at, store.last_seq()});
        }
        return places;
    });
}

void EventStorage::remove_endpoints(const std::vector<std::string>& names) {
    if (names.empty()) return;
    // What was taken for them before is stored for them.
    flush(options_.ack_timeout);
    const std::set<std::string> removed(names.begin(), names.end());
    remove_if([&](const StoredEndpoint& endpoint) { return removed.contains(endpoint.name); });
}

void EventStorage::remove_others(const std::vector<std::string>& names) {
    const std::set<std::string> kept(names.begin(), names.end());
    remove_if([&](const StoredEndpoint& endpoint) { return !kept.contains(endpoint.name); });
}

void EventStorage::remove_if(const std::function<bool(const StoredEndpoint&)>& is_removed) {
    const Result<bool> done = ask<bool>([&](EventStore& store) {
        const WallTime now = times_.wall(clock_.now());
        for (const StoredEndpoint& endpoint : store.endpoints()) {
            if (!endpoint.removed_at && is_removed(endpoint)) {
                store.remove_endpoint(endpoint.id, now);
            }
        }
        forget_overdue(store);
        return true;
    });
    if (!done) {
        log_.error("store", "removed endpoints could not be noted",
                   {{"error", done.error().message()}});
    }
}

/// Those whose grace is over; sets the alarm for the others. By a clock that does not step.
void EventStorage::forget_overdue(EventStore& store) {
    const TimePoint now = clock_.now();
    TimePoint next = TimePoint::max();
    for (const StoredEndpoint& endpoint : store.endpoints()) {
        if (!endpoint.removed_at) continue;
        const TimePoint removed = std::min(times_.steady(*endpoint.removed_at), now);
        if (now - removed < options_.removed_grace) {
            next = std::min(next, removed + options_.removed_grace);
            continue;
        }
        try {
            store.forget_endpoint(endpoint.id);
        } catch (const StoreFull&) {
            next = std::min(next, now + forget_again);
            continue;
        }
        if (endpoint.pending.events == 0) continue;
        log_.warn("store", "backlog of a removed endpoint dropped, its grace is over",
                  {{"endpoint", endpoint.name}, {"events", endpoint.pending.events}});
    }
    if (next == TimePoint::max() || !forget_) return;
    forget_->set(next, [this] { journal_->use([this](EventStore& s) { forget_overdue(s); }); });
}

bool EventStorage::flush(Duration limit) {
    const auto promise = std::make_shared<std::promise<bool>>();
    std::future<bool> flushed = promise->get_future();
    journal_->flush([promise](bool is_stored) { promise->set_value(is_stored); });
    return flushed.wait_for(limit) == std::future_status::ready && flushed.get();
}

}  // namespace fanfare
