// Events of Fanfare's own, with queues on a disk.
#include "durable_support.h"
#include "fanfare/history.h"
#include "meta_support.h"

namespace fanfare::test {
namespace {

class MetaDurableTest : public DurableTest {
  protected:
    MetaDurableTest() { begin_telling(); }
    ~MetaDurableTest() override { process_->drain(Duration::zero()); }

    void begin_telling() {
        meta_ = std::make_unique<MetaEvents>(process_->broadcaster, durable_.clock, process_->log,
                                             "i-1");
    }
    void keep_history() {
        history_ = std::make_unique<History>(durable_.clock, HistoryOptions());
        process_->broadcaster.keep_history(*history_);
    }
    void add_pager() {
        EndpointOptions options = asking_for(meta_actions());
        options.news = meta_.get();
        process_->add("pager", pager_.script(), receiver_, std::move(options));
    }
    void add_audit() {
        EndpointOptions options;
        options.news = meta_.get();
        process_->add("audit", audit_.script(), receiver_, std::move(options));
    }
    void reject() { meta_->config_rejected({1, {"bad"}, "h"}); }
    void fill_disk(bool is_full) {
        durable_.store.before_commit = [is_full](const Changes& changes) {
            if (is_full && !changes.events.empty()) throw StoreFull("full");
        };
    }

    std::unique_ptr<History> history_;
    std::unique_ptr<MetaEvents> meta_;
    Switched audit_;
    Switched pager_ = taking();
};

TEST_F(MetaDurableTest, events_are_told_once_they_are_stored) {
    add_pager();
    add_audit();
    process_->store("a");
    process_->poll();

    EXPECT_EQ(pager_.actions(), Strings{"endpoint.down"});
    EXPECT_EQ(durable_.store.last_seq(), 2U);
    expect_conserved(process_->snapshot_of("pager"));
    expect_conserved(process_->snapshot_of("audit"));
    EXPECT_EQ(process_->snapshot_of("audit").metrics.meta_events(), 0U);
}

TEST_F(MetaDurableTest, number_of_an_event_that_nobody_asks_for_is_not_given_again) {
    add_audit();
    reject();
    process_->poll();

    crash();

    EXPECT_EQ(durable_.store.last_seq(), 1U);
}

TEST_F(MetaDurableTest, event_outlives_the_process_and_is_still_no_news) {
    pager_.answer = Outcome::refused(500);
    add_pager();
    reject();
    process_->poll();
    crash();
    begin_telling();
    Switched other = taking();
    EndpointOptions options = asking_for(meta_actions());
    process_->add("other", other.script(), receiver_, std::move(options));
    add_pager();

    process_->poll();
    durable_.clock.advance(1h, process_->context);
    EXPECT_GT(pager_.attempts, 100U);
    EXPECT_TRUE(other.took.empty());
    pager_.answer = Outcome::delivered(200);
    process_->advance(1s);

    EXPECT_EQ(pager_.actions(), Strings{"config.rejected"});
    EXPECT_TRUE(other.took.empty());
    expect_conserved(process_->snapshot_of("pager"));
}

TEST_F(MetaDurableTest, event_that_finds_no_room_is_not_told) {
    keep_history();
    add_pager();
    fill_disk(true);

    for (int i = 0; i < 3; ++i) reject();
    process_->poll();
    reject();
    process_->poll();

    EXPECT_TRUE(pager_.took.empty());
    EXPECT_EQ(process_->snapshot_of("pager").metrics.offered_events(), 0U);
    // Its number would be given again after a restart.
    EXPECT_EQ(history_->read(1, 10, 100'000).records.size(), 0U);

    fill_disk(false);
    process_->advance(10s);
    process_->store("a");
    process_->poll();
    reject();
    process_->poll();

    EXPECT_EQ(pager_.actions(), Strings{"config.rejected"});
    const HistorySlice slice = history_->read(1, 10, 100'000);
    ASSERT_EQ(slice.records.size(), 2U);
    EXPECT_EQ(slice.records[0].source, EventSource::http);
    EXPECT_EQ(slice.records[1].source, EventSource::meta);
    expect_conserved(process_->snapshot_of("pager"));
}

TEST_F(MetaDurableTest, event_has_its_place_between_those_stored_before_and_after) {
    keep_history();
    Strings all = meta_actions();
    all.emplace_back("push");
    process_->add("all", pager_.script(), receiver_, asking_for(all));

    process_->store("a");
    reject();
    process_->store("b");
    process_->poll();

    EXPECT_EQ(pager_.actions(), (Strings{"push", "config.rejected", "push"}));
    EXPECT_EQ(history_->read(1, 10, 100'000).records[1].source, EventSource::meta);
}

}  // namespace
}  // namespace fanfare::test
