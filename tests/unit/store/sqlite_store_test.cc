#include <random>
#include <set>

#include "event_store_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

TEST_F(EventStores, give_back_what_was_stored_after_a_restart) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 2}, {audit}, 10'000));

    open();
    const StoredPage page = store_->page(audit, 0, {});

    ASSERT_EQ(page.events.size(), 2U);
    const StoredEvent& stored = page.events[1];
    const EventPtr original = numbered(2, 10'000).event;
    EXPECT_EQ(stored.seq, 2U);
    EXPECT_EQ(stored.accepted_at, first_accepted + 2s);
    EXPECT_EQ(stored.event->payload(), original->payload());
    EXPECT_EQ(stored.event->id(), "e2");
    EXPECT_EQ(stored.event->action(), original->action());
    EXPECT_EQ(stored.event->target_media_type(), original->target_media_type());
    EXPECT_EQ(stored.event->traceparent(), original->traceparent());
    EXPECT_EQ(stored.event->tracestate(), original->tracestate());
    EXPECT_EQ(stored.event->type(), original->type());
    EXPECT_FALSE(stored.progress.has_value());
    EXPECT_FALSE(page.has_more);
}

TEST_F(EventStores, know_events_of_fanfare_s_own_again) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    Changes changes = appending({1, 1}, {audit});
    changes.events[0].event = Event::make("{}", EventFields{.id = "e1"}, MediaType::meta);
    store_->commit(changes);

    EXPECT_EQ(store_->page(audit, 0, {}).events.at(0).event->type(), MediaType::meta);
}

TEST_F(EventStores, have_an_identity_that_stays) {
    open();
    const std::string id = store_->id();

    open();

    EXPECT_EQ(store_->id(), id);
    EXPECT_EQ(id.size(), 36U);
}

TEST_F(EventStores, give_each_endpoint_what_it_wants) {
    open();
    const EndpointId all = store_->open_endpoint("all");
    const EndpointId some = store_->open_endpoint("some");
    Changes changes = appending({1, 4}, {all});
    changes.wanted.push_back({some, {2, 3}, 0});

    store_->commit(changes);

    EXPECT_EQ(ids(all), (Ids{"e1", "e2", "e3", "e4"}));
    EXPECT_EQ(ids(some), (Ids{"e2", "e3"}));
}

TEST_F(EventStores, give_pages_within_their_limits) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 9}, {audit}, 1000));
    store_->commit(acknowledging(audit, {4, 5}));

    const StoredPage by_count = store_->page(audit, 1, {.events_max = 3});
    const StoredPage by_bytes = store_->page(audit, 0, {.events_max = 9, .bytes_max = 1500});
    const StoredPage last = store_->page(audit, 8, {.events_max = 1});

    EXPECT_EQ(by_count.events.size(), 3U);
    EXPECT_EQ(by_count.events.back().seq, 6U);
    EXPECT_TRUE(by_count.has_more);
    EXPECT_EQ(by_bytes.events.size(), 2U);
    EXPECT_EQ(last.events.size(), 1U);
    EXPECT_FALSE(last.has_more);
    EXPECT_EQ(ids(audit, {.events_max = 2}).size(), 7U);
    EXPECT_EQ(ids(audit, {.events_max = 9, .bytes_max = 0}).size(), 7U);
}

TEST_F(EventStores, delete_an_event_once_nobody_wants_it_any_more) {
    open();
    const EndpointId one = store_->open_endpoint("one");
    const EndpointId other = store_->open_endpoint("other");
    store_->commit(appending({1, 10}, {one, other}));

    store_->commit(acknowledging(one, {1, 10}));
    EXPECT_EQ(store_->stats().events, 10U);
    store_->commit(acknowledging(other, {1, 7}));

    EXPECT_EQ(store_->stats().events, 3U);
    EXPECT_EQ(ids(other), (Ids{"e8", "e9", "e10"}));
    EXPECT_TRUE(store_->check().empty());
}

TEST_F(EventStores, do_not_keep_an_event_that_nobody_wants) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");

    store_->commit(appending({1, 5}, {}));
    store_->commit(appending({6, 6}, {audit, 99}));

    EXPECT_EQ(store_->stats().events, 1U);
    EXPECT_EQ(store_->last_seq(), 6U);
}

TEST_F(EventStores, never_give_a_seq_twice) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 7}, {audit}));
    store_->commit(acknowledging(audit, {1, 7}));
    open();
    EXPECT_EQ(store_->last_seq(), 7U);

    store_->commit(appending({8, 9}, {}));
    open();

    EXPECT_EQ(store_->last_seq(), 9U);
}

TEST_F(EventStores, erase_large_amounts_in_steps) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 10'000}, {audit}));

    store_->commit(acknowledging(audit, {1, 10'000}));

    EXPECT_TRUE(store_->has_garbage());
    EXPECT_GT(store_->stats().events, 0U);
    clean();
    EXPECT_EQ(store_->stats().events, 0U);
}

TEST_F(EventStores, go_on_erasing_after_a_restart) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 10'000}, {audit}));
    store_->commit(acknowledging(audit, {1, 9'999}));

    open();
    clean();

    EXPECT_EQ(store_->stats().events, 1U);
    EXPECT_EQ(ids(audit), Ids{"e10000"});
    EXPECT_TRUE(store_->check().empty());
}

StoredProgress some_progress(unsigned attempts) {
    StoredProgress progress;
    progress.attempts = attempts;
    progress.failures = attempts - 1;
    progress.next_at = first_accepted + 90s;
    progress.last_status = 503;
    progress.last_error = Reason::status;
    return progress;
}

TEST_F(EventStores, remember_progress_until_the_event_is_done) {
    open();
    const EndpointId one = store_->open_endpoint("one");
    const EndpointId other = store_->open_endpoint("other");
    store_->commit(appending({1, 3}, {one, other}));
    Changes changes;
    changes.progress.push_back({one, 2, some_progress(4)});
    changes.progress.push_back({one, 2, some_progress(5)});
    changes.progress.push_back({one, 77, some_progress(1)});
    store_->commit(changes);

    open();

    EXPECT_EQ(store_->page(one, 1, {}).events[0].progress, some_progress(5));
    EXPECT_FALSE(store_->page(one, 2, {}).events[0].progress.has_value());
    EXPECT_FALSE(store_->page(other, 1, {}).events[0].progress.has_value());
    store_->commit(acknowledging(one, {1, 3}));
    store_.reset();
    EXPECT_EQ(Database(file()).number("SELECT count(*) FROM attempt"), 0);
}

TEST_F(EventStores, count_what_waits) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 4}, {audit}, 1000));
    store_->commit(acknowledging(audit, {1, 1}, 1000));

    open();
    const StoredEndpoint entry = store_->endpoints().at(0);

    EXPECT_EQ(entry.id, audit);
    EXPECT_EQ(entry.name, "audit");
    EXPECT_EQ(entry.pending, (Backlog{3, 3000}));
    EXPECT_EQ(entry.oldest_at, first_accepted + 2s);
    store_->commit(acknowledging(audit, {2, 4}, 1));
    EXPECT_EQ(store_->endpoints().at(0).pending, Backlog());
}

TEST_F(EventStores, keep_the_backlog_of_a_removed_endpoint_for_its_return) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 2}, {audit}));
    store_->remove_endpoint(audit, first_accepted + 5s);
    open();
    EXPECT_EQ(store_->endpoints().at(0).removed_at, first_accepted + 5s);

    EXPECT_EQ(store_->open_endpoint("audit"), audit);
    open();

    EXPECT_FALSE(store_->endpoints().at(0).removed_at.has_value());
    EXPECT_EQ(ids(audit).size(), 2U);
}

TEST_F(EventStores, open_many_endpoints_in_one_commit) {
    open();
    const EndpointId removed = store_->open_endpoint("b");
    store_->remove_endpoint(removed, first_accepted);
    const Ids names = {"a", "b", "c", "a"};

    const std::vector<EndpointId> first = store_->open_endpoints(names);
    open();
    const std::uint64_t wal_bytes = store_->stats().wal_bytes;

    EXPECT_EQ(store_->open_endpoints(names), first);
    EXPECT_EQ(store_->stats().wal_bytes, wal_bytes) << "nothing is written when all is there";
    EXPECT_EQ(first[1], removed);
    EXPECT_EQ(first[0], first[3]);
    EXPECT_EQ(store_->endpoints().size(), 3U);
    EXPECT_FALSE(store_->endpoints()[0].removed_at.has_value());
}

TEST_F(EventStores, forget_an_endpoint_and_never_use_its_number_again) {
    open();
    store_->open_endpoint("stays");
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 2}, {audit}));

    store_->forget_endpoint(audit);
    open();

    EXPECT_EQ(store_->endpoints().size(), 1U);
    EXPECT_EQ(store_->stats().events, 0U);
    EXPECT_GT(store_->open_endpoint("audit"), audit);
}

TEST_F(EventStores, purge_up_to_a_seq) {
    open();
    const EndpointId one = store_->open_endpoint("one");
    const EndpointId other = store_->open_endpoint("other");
    store_->commit(appending({1, 10}, {one, other}, 1000));

    EXPECT_EQ(store_->purge(one, 4), (Backlog{4, 4000}));

    EXPECT_EQ(ids(one).size(), 6U);
    EXPECT_EQ(ids(other).size(), 10U);
    EXPECT_EQ(store_->purge(one, 1000), (Backlog{6, 6000}));
    EXPECT_EQ(store_->purge(99, 1000), Backlog());
    EXPECT_TRUE(store_->check().empty());
}

/// Random changes, compared with sets after each restart.
class Model {
  public:
    explicit Model(unsigned seed) : random_(seed) {}

    Changes step(const std::vector<EndpointId>& endpoints) {
        Changes changes;
        const std::uint64_t events = random_() % 6;
        if (events > 0) append({last_seq_ + 1, last_seq_ + events}, endpoints, changes);
        for (const EndpointId endpoint : endpoints) {
            if (random_() % 2 == 0) acknowledge(endpoint, changes);
        }
        return changes;
    }

    std::map<EndpointId, std::set<std::uint64_t>> pending;

  private:
    void append(SeqRange seqs, const std::vector<EndpointId>& endpoints, Changes& changes) {
        last_seq_ = seqs.last;
        changes = appending(seqs, {});
        for (const EndpointId endpoint : endpoints) {
            for (std::uint64_t seq = seqs.first; seq <= seqs.last; ++seq) {
                if (random_() % 3 == 0) continue;
                changes.wanted.push_back({endpoint, {seq, seq}, 0});
                pending[endpoint].insert(seq);
            }
        }
    }

    void acknowledge(EndpointId endpoint, Changes& changes) {
        EndpointSeqs done;
        done.endpoint = endpoint;
        for (unsigned i = random_() % 8; i > 0; --i) {
            const std::uint64_t seq =
                last_seq_ - std::min<std::uint64_t>(random_() % 30, last_seq_);
            done.seqs.add(seq + 1);
            pending[endpoint].erase(seq + 1);
        }
        changes.acknowledged.push_back(done);
    }

    std::mt19937 random_;
    std::uint64_t last_seq_ = 0;
};

TEST_F(EventStores, hold_what_was_committed_and_nothing_else) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    options_.is_every_commit_synced = false;  // takes time
    open();
    const std::vector<EndpointId> endpoints = {
        store_->open_endpoint("a"), store_->open_endpoint("b"), store_->open_endpoint("c")};
    Model model(seed);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 20; ++i) store_->commit(model.step(endpoints));
        clean();
        open();

        std::set<std::uint64_t> all;
        for (const EndpointId endpoint : endpoints) {
            Ids expected;
            for (const std::uint64_t seq : model.pending[endpoint]) {
                expected.push_back("e" + std::to_string(seq));
                all.insert(seq);
            }
            ASSERT_EQ(ids(endpoint), expected);
        }
        ASSERT_EQ(store_->stats().events, all.size());
        ASSERT_EQ(store_->check(), Ids());
    }
}

}  // namespace
}  // namespace fanfare::test
