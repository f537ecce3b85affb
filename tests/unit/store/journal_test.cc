#include "store/journal.h"

#include <gtest/gtest.h>

#include <optional>

#include "event_store_support.h"
#include "support/manual_clock.h"
#include "support/memory_store.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

/// A journal whose disk does nothing until it is told to.
class Journals : public testing::Test {
  protected:
    Journals() { make({}); }

    void make(Journal::Options options) {
        journal_ = std::make_unique<Journal>(
            store_, context_.get_executor(), clock_,
            [this](const std::string& error) { broken_.push_back(error); }, options);
    }

    /// Appends one event; notes what becomes of it.
    Intake append(std::uint64_t seq, std::size_t payload_bytes = 0) {
        Changes changes = appending({seq, seq}, {audit_}, payload_bytes);
        Append append{std::move(changes.events), std::move(changes.wanted)};
        return journal_->append(std::move(append), [this, seq](Appended appended) {
            results_.emplace_back(seq, appended);
        });
    }

    void acknowledge(std::uint64_t seq) { journal_->acknowledge({audit_, {seq, seq}, 0}); }

    void note_progress(std::uint64_t seq, unsigned attempts) {
        StoredProgress progress;
        progress.attempts = attempts;
        journal_->note_progress({audit_, seq, progress});
    }

    void poll() { ManualClock::poll(context_); }
    void advance(Duration step) { clock_.advance(step, context_); }

    /// From now on the store takes no events.
    void fill_store() {
        store_.room = false;
        store_.before_commit = [](const Changes& changes) {
            if (!changes.events.empty()) throw StoreFull("full");
        };
    }

    void break_store() {
        store_.before_commit = [](const Changes&) { throw StoreBroken("the disk is gone"); };
    }

    using Results = std::vector<std::pair<std::uint64_t, Appended>>;

    net::io_context context_{1};
    ManualClock clock_;
    MemoryStore store_;
    EndpointId audit_ = store_.open_endpoint("audit");
    std::vector<std::string> broken_;
    Results results_;
    std::unique_ptr<Journal> journal_;
};

TEST_F(Journals, tell_that_an_event_is_stored_when_it_is) {
    EXPECT_EQ(append(1), Intake::taken);
    EXPECT_TRUE(results_.empty());

    poll();

    EXPECT_EQ(results_, (Results{{1, Appended::stored}}));
    EXPECT_EQ(store_.endpoints()[0].pending.events, 1U);
}

TEST_F(Journals, put_all_that_waits_into_one_commit) {
    for (std::uint64_t seq = 1; seq <= 64; ++seq) append(seq);

    poll();

    EXPECT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(results_.size(), 64U);
    EXPECT_TRUE(std::is_sorted(results_.begin(), results_.end()));
    EXPECT_EQ(journal_->counts().commits, 1U);
    EXPECT_EQ(journal_->counts().events, 64U);
    EXPECT_EQ(journal_->counts().commit_events.sum(), 64.0);
}

TEST_F(Journals, do_not_let_a_commit_grow_beyond_its_bounds) {
    for (std::uint64_t seq = 1; seq <= 600; ++seq) append(seq);
    poll();
    EXPECT_EQ(store_.commits.size(), 3U);
    EXPECT_EQ(store_.commits[0].seqs.size(), 256U);

    store_.commits.clear();
    for (std::uint64_t seq = 601; seq <= 608; ++seq) append(seq, 1 << 20);
    poll();

    EXPECT_EQ(store_.commits.size(), 2U);
    EXPECT_EQ(store_.commits[0].seqs.size(), 4U);
}

TEST_F(Journals, do_not_divide_an_append) {
    Changes changes = appending({1, 1000}, {audit_});
    journal_->append({changes.events, changes.wanted},
                     [this](Appended appended) { results_.emplace_back(1, appended); });

    poll();

    ASSERT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(store_.commits[0].seqs.size(), 1000U);
    EXPECT_EQ(results_.size(), 1U);
}

TEST_F(Journals, do_nothing_while_there_is_nothing_to_do) {
    append(1);
    poll();

    advance(10s);

    EXPECT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(clock_.alarm_count(), 0U);
}

TEST_F(Journals, let_acknowledgements_wait_for_a_tenth_of_a_second) {
    append(1);
    poll();

    acknowledge(1);
    advance(60ms);
    note_progress(1, 2);
    advance(39ms);
    EXPECT_EQ(store_.commits.size(), 1U);
    advance(1ms);

    ASSERT_EQ(store_.commits.size(), 2U);
    EXPECT_EQ(store_.commits[1].acknowledged, 1U);
    EXPECT_EQ(store_.commits[1].progress, 1U);
    EXPECT_EQ(journal_->counts().acknowledged, 1U);
    EXPECT_EQ(clock_.alarm_count(), 0U);
}

TEST_F(Journals, let_acknowledgements_ride_on_the_next_commit) {
    append(1);
    poll();

    acknowledge(1);
    append(2);
    poll();

    ASSERT_EQ(store_.commits.size(), 2U);
    EXPECT_EQ(store_.commits[1].acknowledged, 1U);
    advance(1s);
    EXPECT_EQ(store_.commits.size(), 2U);
}

TEST_F(Journals, give_later_acknowledgements_a_time_of_their_own) {
    append(1);
    acknowledge(7);
    advance(50ms);
    acknowledge(8);
    advance(99ms);
    EXPECT_EQ(store_.commits.size(), 1U);

    advance(1ms);

    EXPECT_EQ(store_.commits.size(), 2U);
}

TEST_F(Journals, let_no_more_than_so_many_acknowledgements_wait) {
    for (std::uint64_t seq = 1; seq <= 255; ++seq) acknowledge(seq);
    poll();
    EXPECT_TRUE(store_.commits.empty());

    acknowledge(256);
    poll();

    ASSERT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(store_.commits[0].acknowledged, 256U);
}

TEST_F(Journals, write_only_the_latest_progress) {
    append(1);
    poll();

    for (unsigned i = 1; i <= 5; ++i) note_progress(1, i);
    advance(100ms);

    EXPECT_EQ(store_.commits.back().progress, 1U);
    EXPECT_EQ(store_.page(audit_, 0, {}).events[0].progress->attempts, 5U);
}

TEST_F(Journals, refuse_appends_while_too_much_waits) {
    Journal::Options options;
    options.waiting_bytes_max = 10'000;
    make(options);
    EXPECT_EQ(append(1, 50'000), Intake::taken) << "one is taken, however large";
    EXPECT_EQ(append(2, 1'000), Intake::overloaded);
    EXPECT_EQ(journal_->counts().waiting_bytes, 50'000U);

    poll();

    EXPECT_EQ(append(2, 1'000), Intake::taken);
    poll();
    EXPECT_EQ(results_, (Results{{1, Appended::stored}, {2, Appended::stored}}));
    EXPECT_EQ(journal_->counts().waiting_bytes, 0U);
}

TEST_F(Journals, go_on_acknowledging_when_the_store_is_full) {
    append(1);
    poll();
    fill_store();

    append(2);
    append(3);
    acknowledge(1);
    poll();

    EXPECT_EQ(results_, (Results{{1, Appended::stored}, {2, Appended::full}, {3, Appended::full}}));
    EXPECT_EQ(store_.endpoints()[0].pending.events, 0U);
    EXPECT_EQ(append(4), Intake::full);
    EXPECT_EQ(journal_->counts().full_since, clock_.now());
}

TEST_F(Journals, take_appends_again_once_there_is_room) {
    append(1);
    poll();
    fill_store();
    append(2);
    poll();
    advance(10s);
    EXPECT_EQ(append(3), Intake::full) << "nothing has become free";

    store_.room = true;
    store_.before_commit = nullptr;
    acknowledge(1);
    advance(100ms);

    EXPECT_EQ(append(3), Intake::taken);
    EXPECT_EQ(append(4), Intake::full) << "one finds out for all";
    poll();
    EXPECT_EQ(results_.back(), std::make_pair(std::uint64_t{3}, Appended::stored));
    EXPECT_EQ(append(4), Intake::taken);
    EXPECT_FALSE(journal_->counts().full_since.has_value());
    poll();
}

TEST_F(Journals, try_acknowledgements_again_that_found_no_room) {
    append(1);
    poll();
    store_.before_commit = [](const Changes&) { throw StoreFull("not even that"); };
    acknowledge(1);
    note_progress(1, 3);
    advance(100ms);
    EXPECT_EQ(journal_->counts().full_commits, 1U);
    advance(499ms);
    EXPECT_EQ(journal_->counts().full_commits, 1U) << "not all the time";
    advance(1ms);
    EXPECT_EQ(journal_->counts().full_commits, 2U);

    store_.before_commit = nullptr;
    advance(500ms);

    EXPECT_EQ(store_.endpoints()[0].pending.events, 0U);
    EXPECT_EQ(store_.commits.back().progress, 1U);
}

TEST_F(Journals, fail_all_that_waits_when_the_store_breaks) {
    std::optional<bool> flushed;
    break_store();
    for (std::uint64_t seq = 1; seq <= 300; ++seq) append(seq);
    journal_->flush([&](bool is_stored) { flushed = is_stored; });

    poll();

    EXPECT_EQ(results_.size(), 300U);
    for (const auto& [seq, appended] : results_) EXPECT_EQ(appended, Appended::broken) << seq;
    EXPECT_EQ(flushed, false);
    EXPECT_EQ(broken_, std::vector<std::string>{"the disk is gone"});
}

TEST_F(Journals, store_nothing_any_more_once_the_store_is_broken) {
    break_store();
    append(1);
    poll();
    store_.before_commit = nullptr;
    results_.clear();
    std::optional<StoredPage> page = StoredPage();
    std::optional<bool> flushed;

    EXPECT_EQ(append(2), Intake::broken);
    acknowledge(1);
    journal_->read(audit_, 0, {}, [&](std::optional<StoredPage> read) { page = std::move(read); });
    journal_->flush([&](bool is_stored) { flushed = is_stored; });
    journal_->use([](EventStore&) { FAIL(); });
    advance(10s);

    EXPECT_TRUE(store_.commits.empty());
    EXPECT_TRUE(results_.empty());
    EXPECT_FALSE(page.has_value());
    EXPECT_EQ(flushed, false);
    EXPECT_EQ(broken_.size(), 1U);
}

TEST_F(Journals, read_what_is_stored) {
    for (std::uint64_t seq = 1; seq <= 5; ++seq) append(seq);
    std::optional<StoredPage> page;
    journal_->read(audit_, 2, {.events_max = 2},
                   [&](std::optional<StoredPage> read) { page = std::move(read); });

    poll();

    ASSERT_TRUE(page.has_value());
    ASSERT_EQ(page->events.size(), 2U);
    EXPECT_EQ(page->events[0].seq, 3U);
    EXPECT_TRUE(page->has_more);
}

TEST_F(Journals, tell_when_everything_is_on_the_disk) {
    std::vector<std::uint64_t> stored_at;
    for (std::uint64_t seq = 1; seq <= 600; ++seq) append(seq);
    acknowledge(77);
    journal_->flush([&](bool is_stored) {
        EXPECT_TRUE(is_stored);
        stored_at.push_back(results_.size());
    });
    append(601);

    poll();

    EXPECT_EQ(stored_at, std::vector<std::uint64_t>{601}) << "the third commit has room for it";
    EXPECT_EQ(store_.commits[0].acknowledged, 1U);
}

TEST_F(Journals, flush_what_would_have_waited) {
    bool is_flushed = false;
    acknowledge(1);
    journal_->flush([&](bool is_stored) { is_flushed = is_stored; });

    poll();

    EXPECT_TRUE(is_flushed);
    EXPECT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(clock_.alarm_count(), 0U);
}

TEST_F(Journals, clean_up_when_there_is_time) {
    store_.garbage = 5;
    append(1);
    poll();

    EXPECT_EQ(store_.garbage, 0U);
    EXPECT_EQ(store_.commits.size(), 5U);
}

TEST_F(Journals, do_not_try_to_clean_up_all_the_time_when_there_is_no_room) {
    append(1);
    poll();
    store_.garbage = 1;
    store_.before_commit = [](const Changes&) { throw StoreFull("not even that"); };
    acknowledge(1);

    advance(1s);

    EXPECT_LE(journal_->counts().full_commits, 3U);
    store_.before_commit = nullptr;
    advance(500ms);
    EXPECT_EQ(store_.garbage, 0U);
}

TEST_F(Journals, let_others_use_the_store_between_two_commits) {
    EndpointId made = 0;

    journal_->use([&](EventStore& store) { made = store.open_endpoint("new"); });
    poll();

    EXPECT_EQ(made, audit_ + 1);
}

}  // namespace
}  // namespace fanfare::test
