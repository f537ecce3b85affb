// A journal with threads, and one with a store on the disk.
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <thread>

#include "event_store_support.h"
#include "store/journal.h"
#include "support/manual_clock.h"
#include "support/memory_store.h"

namespace fanfare::test {
namespace {

bool flush(Journal& journal) {
    std::promise<bool> flushed;
    journal.flush([&flushed](bool is_stored) { flushed.set_value(is_stored); });
    return flushed.get_future().get();
}

/// What many threads do with a journal at the same time.
class Senders {
  public:
    Senders(Journal& journal, EndpointId endpoint) : journal_(journal), endpoint_(endpoint) {}

    /// Appends, and acknowledges every second event once it is stored.
    void send(int events) {
        for (int i = 0; i < events; ++i) {
            const std::lock_guard lock(mutex_);
            const std::uint64_t seq = ++last_seq_;
            Changes changes = appending({seq, seq}, {endpoint_});
            Append append{std::move(changes.events), std::move(changes.wanted)};
            const Intake intake = journal_.append(std::move(append), [this, seq](Appended) {
                stored_.push_back(seq);
                if (seq % 2 == 0) journal_.acknowledge({endpoint_, {seq, seq}, 0});
            });
            EXPECT_EQ(intake, Intake::taken);
        }
    }

    std::uint64_t last_seq() const { return last_seq_; }
    /// Only while the disk does nothing.
    const std::vector<std::uint64_t>& stored() const { return stored_; }

  private:
    Journal& journal_;
    const EndpointId endpoint_;
    std::mutex mutex_;
    std::uint64_t last_seq_ = 0;
    std::vector<std::uint64_t> stored_;  // the disk's thread's
};

TEST(JournalThreads, may_all_append_and_acknowledge) {
    MemoryStore store;
    const EndpointId audit = store.open_endpoint("audit");
    SteadyClock clock;
    net::thread_pool disk(1);
    Journal journal(store, disk.get_executor(), clock, [](const std::string&) { FAIL(); });
    Senders senders(journal, audit);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&senders] { senders.send(500); });
    for (std::thread& thread : threads) thread.join();

    EXPECT_TRUE(flush(journal));  // stores, which acknowledges
    EXPECT_TRUE(flush(journal));
    disk.join();

    EXPECT_EQ(senders.stored().size(), 2000U);
    EXPECT_TRUE(std::is_sorted(senders.stored().begin(), senders.stored().end()));
    EXPECT_EQ(store.endpoints()[0].pending.events, 1000U);
    EXPECT_EQ(journal.counts().events, 2000U);
    EXPECT_EQ(journal.counts().acknowledged, 1000U);
}

TEST_F(EventStores, have_all_that_a_journal_has_told_to_be_stored) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    {
        SteadyClock clock;
        net::thread_pool disk(1);
        Journal journal(*store_, disk.get_executor(), clock, [](const std::string&) { FAIL(); });
        Senders senders(journal, audit);
        senders.send(1000);
        EXPECT_TRUE(flush(journal));
        EXPECT_TRUE(flush(journal));
        disk.join();
        EXPECT_EQ(senders.stored().size(), 1000U);
        EXPECT_LT(journal.counts().commits, 100U);
    }

    open();

    EXPECT_EQ(ids(audit).size(), 500U);
    EXPECT_EQ(ids(audit).front(), "e1");
    EXPECT_EQ(ids(audit).back(), "e999");
    EXPECT_EQ(store_->check(), Ids());
}

TEST_F(EventStores, fill_up_and_take_events_again_behind_a_journal) {
    options_.bytes_max = 1 << 20;
    options_.is_every_commit_synced = false;  // takes time
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    net::io_context context(1);
    ManualClock clock;
    Journal journal(*store_, context.get_executor(), clock, [](const std::string&) { FAIL(); });
    std::uint64_t seq = 0;
    std::vector<std::uint64_t> stored;
    const auto append = [&] {
        Changes changes = appending({seq + 1, seq + 1}, {audit}, 3000);
        ++seq;
        const Intake intake = journal.append({changes.events, changes.wanted}, [&](Appended done) {
            if (done == Appended::stored) stored.push_back(seq);
        });
        ManualClock::poll(context);
        return intake;
    };
    while (append() == Intake::taken && seq < 10'000) {
    }
    const std::size_t first = stored.size();
    EXPECT_GT(first, 50U);
    EXPECT_LT(first, 1000U);

    journal.acknowledge({audit, {1, seq}, 0});
    clock.advance(std::chrono::seconds(1), context);

    EXPECT_EQ(append(), Intake::taken);
    EXPECT_EQ(stored.size(), first + 1);
}

}  // namespace
}  // namespace fanfare::test
