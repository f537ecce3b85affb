// What it takes to have events on the disk: the store by itself, and through its journal.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <semaphore>
#include <thread>

#include "micro/support.h"
#include "store/journal.h"
#include "store/sqlite_store.h"
#include "support/tmp_dir.h"

namespace fanfare::bench {
namespace {

/// A store of its own with one endpoint. The folder for temporary files should not be in memory.
struct Store {
    Store() {
        SqliteStoreOptions options;
        options.dir = dir.path();
        store = std::move(*SqliteStore::open(options, log));
        endpoint = store->open_endpoint("audit");
    }

    Append append_next() {
        const std::uint64_t seq = ++last_seq;
        Append append;
        append.events.push_back({seq, WallTime(std::chrono::seconds(1'700'000'000)), event});
        append.wanted.push_back({endpoint, {seq, seq}, event->payload().size()});
        return append;
    }

    EndpointRun done(std::uint64_t seq) const {
        return {endpoint, {seq, seq}, event->payload().size()};
    }

    test::TmpDir dir;
    Log log{LogOptions{}, [](std::string_view) {}};
    const EventPtr event = make_event();
    std::unique_ptr<SqliteStore> store;
    EndpointId endpoint = 0;
    std::uint64_t last_seq = 0;
};

/// Commits of `range` events each, all of them delivered by the next commit.
void store_commit(benchmark::State& state) {
    Store store;
    const auto events = static_cast<std::uint64_t>(state.range(0));
    for (auto _ : state) {
        Changes changes;
        const std::uint64_t before = store.last_seq;
        if (before > 0) {
            changes.acknowledged.push_back({store.endpoint,
                                            SeqRanges({before - events + 1, before}),
                                            events * store.event->payload().size()});
        }
        for (std::uint64_t i = 0; i < events; ++i) {
            Append append = store.append_next();
            changes.events.push_back(std::move(append.events.front()));
            changes.wanted.push_back(std::move(append.wanted.front()));
        }
        store.store->commit(changes);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(store_commit)->Arg(1)->Arg(32)->Arg(256)->UseRealTime();

/// A start with `range` events waiting.
void store_open(benchmark::State& state) {
    Store store;
    SqliteStoreOptions options;
    options.dir = store.dir.path() / "full";
    options.is_every_commit_synced = false;
    store.store = std::move(*SqliteStore::open(options, store.log));
    store.endpoint = store.store->open_endpoint("audit");
    while (store.last_seq < static_cast<std::uint64_t>(state.range(0))) {
        Changes changes;
        for (int i = 0; i < 10'000; ++i) {
            Append append = store.append_next();
            changes.events.push_back(std::move(append.events.front()));
            changes.wanted.push_back(std::move(append.wanted.front()));
        }
        store.store->commit(changes);
    }
    for (auto _ : state) {
        store.store.reset();
        store.store = std::move(*SqliteStore::open(options, store.log));
    }
}
BENCHMARK(store_open)->Arg(20'000)->UseRealTime();

/// As many senders as `range`, each of which sends the next event once its last one is stored. What
/// is stored is acknowledged at once.
void journal_append(benchmark::State& state) {
    Store store;
    SteadyClock clock;
    net::io_context disk(1);
    auto work = net::make_work_guard(disk);
    std::thread thread([&disk] { disk.run(); });
    Journal journal(*store.store, disk.get_executor(), clock, [](const std::string&) {});
    std::counting_semaphore<> free(state.range(0));
    for (auto _ : state) {
        free.acquire();
        journal.append(store.append_next(), [&, seq = store.last_seq](Appended) {
            journal.acknowledge(store.done(seq));
            free.release();
        });
    }
    std::promise<void> flushed;
    journal.flush([&flushed](bool) { flushed.set_value(); });
    flushed.get_future().wait();
    work.reset();
    thread.join();
    const JournalCounts counts = journal.counts();
    state.SetItemsProcessed(state.iterations());
    state.counters["events_per_commit"] =
        counts.commit_events.sum() / static_cast<double>(counts.commit_events.count());
}
BENCHMARK(journal_append)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

void seq_ranges_add_and_remove(benchmark::State& state) {
    SeqRanges ranges;
    std::uint64_t last = 0;
    for (; last < static_cast<std::uint64_t>(state.range(0)); ++last) ranges.add(2 * last + 2);
    std::uint64_t first = 0;
    for (auto _ : state) {
        ranges.add(2 * last++ + 2);
        ranges.remove(2 * first++ + 2);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(seq_ranges_add_and_remove)->Arg(1)->Arg(1'000'000);

}  // namespace
}  // namespace fanfare::bench
