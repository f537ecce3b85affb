#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>

#include "journal_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

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

TEST_F(Journals, put_what_a_loop_has_ready_into_one_commit) {
    append_in_turns(20);
    poll();
    ASSERT_EQ(store_.commits.size(), 1U);
    EXPECT_EQ(store_.commits[0].seqs.size(), 20U);
    EXPECT_EQ(results_.size(), 20U);
}

TEST_F(Journals, let_a_loop_that_never_rests_wait_for_company_that_is_enough) {
    // Each turn of the loop brings one more.
    std::uint64_t seq = 0;
    std::function<void()> next = [&] {
        if (seq + 1 < 200) net::post(context_, next);
        append(++seq, 0, &loop_);
    };
    net::post(context_, next);
    poll();
    EXPECT_EQ(results_.size(), 200U);
    EXPECT_LE(store_.commits.size(), 8U);
    EXPECT_LE(store_.commits[0].seqs.size(), 40U);
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

TEST_F(Journals, let_others_use_the_store_between_two_commits) {
    EndpointId made = 0;

    journal_->use([&](EventStore& store) { made = store.open_endpoint("new"); });
    poll();

    EXPECT_EQ(made, audit_ + 1);
}

}  // namespace
}  // namespace fanfare::test
