// Events of Fanfare's own, with queues in memory.
#include "fanfare/history.h"
#include "meta_support.h"

namespace fanfare::test {
namespace {

class MetaEventsTest : public testing::Test {
  protected:
    ~MetaEventsTest() override { pipeline_.drain(Duration::zero()); }

    std::shared_ptr<Endpoint> add(const std::string& name, Switched& switched,
                                  EndpointOptions options = {}) {
        options.news = &meta_;
        return pipeline_.add(name, switched.script(), receiver_, std::move(options));
    }

    /// `audit`, which fails, and `pager`, which asks for events of Fanfare's own.
    void add_both(EndpointOptions audit = {}) {
        add("audit", audit_, std::move(audit));
        add("pager", pager_, asking_for(meta_actions()));
    }

    void write(const std::string& id) {
        pipeline_.write(id);
        pipeline_.poll();
    }

    EndpointMetrics metrics_of(const std::string& name) {
        const EndpointSnapshot snapshot = pipeline_.snapshot_of(name);
        expect_conserved(snapshot);
        return snapshot.metrics;
    }

    Pipeline pipeline_;
    MetaEvents meta_{pipeline_.broadcaster, pipeline_.clock, pipeline_.log, "i-1"};
    Receiver receiver_;
    Switched audit_;
    Switched pager_ = taking();
};

TEST_F(MetaEventsTest, tell_once_that_an_endpoint_is_down_and_once_that_it_is_up) {
    add_both();

    write("a");
    pipeline_.advance(10s);
    audit_.answer = Outcome::delivered(200);
    pipeline_.advance(1s);
    write("b");

    ASSERT_EQ(pager_.actions(), (Strings{"endpoint.down", "endpoint.up"}));
    const json& down = pager_.took[0];
    EXPECT_EQ(down.at("endpoint"), "audit");
    EXPECT_EQ(down.at("failures"), 5);
    EXPECT_EQ(down.at("error"), "status 500");
    EXPECT_EQ(down.at("source"), "meta");
    EXPECT_EQ(down.at("instance"), "i-1");
    EXPECT_EQ(down.at("timestamp"), "2023-12-26T14:13:20.000Z");
    EXPECT_TRUE(down.at("id").get<std::string>().starts_with("evt_"));
    const json& up = pager_.took[1];
    EXPECT_EQ(up.at("endpoint"), "audit");
    EXPECT_GT(up.at("failures"), 5);
    EXPECT_EQ(up.at("down_seconds"), 11.0);
}

TEST_F(MetaEventsTest, take_numbers_of_the_one_counter_and_are_not_ingested) {
    add_both();

    write("a");
    const std::shared_ptr<Event> next = make_event("b");
    const auto written = pipeline_.broadcaster.write({&next, 1});
    pipeline_.poll();

    EXPECT_EQ(written->first_seq, 3U) << "endpoint.down has 2";
    EXPECT_EQ(pipeline_.snapshot().ingested_events, 2U);
    const EndpointMetrics pager = metrics_of("pager");
    EXPECT_EQ(pager.meta_events(), 1U);
    EXPECT_EQ(pager.events(), 1U);
    EXPECT_EQ(pager.ignored_events(), 2U);
}

TEST_F(MetaEventsTest, are_nothing_to_an_endpoint_that_does_not_ask) {
    Switched ordinary = taking();
    add_both();
    add("ordinary", ordinary);

    write("a");

    EXPECT_EQ(pager_.actions(), Strings{"endpoint.down"});
    EXPECT_EQ(ordinary.actions(), Strings{"push"});
    const EndpointMetrics metrics = metrics_of("ordinary");
    EXPECT_EQ(metrics.meta_events(), 0U);
    EXPECT_EQ(metrics.ignored_events(), 0U);
}

TEST_F(MetaEventsTest, go_only_where_the_whole_filter_wants_them) {
    Switched ups = taking();
    add_both();
    add("ups", ups, asking_for({"endpoint.up"}));

    write("a");
    audit_.answer = Outcome::delivered(200);
    pipeline_.advance(1s);

    EXPECT_EQ(ups.actions(), Strings{"endpoint.up"});
    EXPECT_EQ(metrics_of("ups").ignored_events(), 1U) << "what was ingested";
}

TEST_F(MetaEventsTest, never_go_to_the_endpoint_that_they_are_about) {
    Strings all = meta_actions();
    all.emplace_back("push");
    add("pager", audit_, asking_for(all));

    write("a");
    audit_.answer = Outcome::delivered(200);
    pipeline_.advance(1s);

    EXPECT_EQ(audit_.actions(), Strings{"push"});
    EXPECT_EQ(metrics_of("pager").meta_events(), 0U);
}

TEST_F(MetaEventsTest, do_not_go_on_for_ever_between_two_that_fail_and_ask) {
    Strings all = meta_actions();
    all.emplace_back("push");
    Switched other;
    add("a", audit_, asking_for(all));
    add("b", other, asking_for(all));

    write("x");
    pipeline_.advance(1h);

    EXPECT_EQ(metrics_of("a").meta_events(), 1U);
    EXPECT_EQ(metrics_of("b").meta_events(), 1U);

    audit_.answer = other.answer = Outcome::delivered(200);
    pipeline_.advance(1s);
    pipeline_.advance(1h);

    EXPECT_EQ(audit_.actions(), (Strings{"push", "endpoint.down", "endpoint.up"}));
    EXPECT_EQ(other.actions(), (Strings{"push", "endpoint.down", "endpoint.up"}));
}

TEST_F(MetaEventsTest, tell_nothing_of_attempts_at_such_events) {
    audit_.answer = Outcome::delivered(200);
    pager_.answer = Outcome::refused(500);
    EndpointOptions options = asking_for(meta_actions());
    options.retry.attempts_max = 50;
    add("pager", pager_, std::move(options));
    add("other", audit_, asking_for(meta_actions()));

    meta_.config_rejected({1, {"bad"}, "h"});
    pipeline_.advance(10min);

    EXPECT_EQ(pager_.attempts, 50U);
    EXPECT_EQ(metrics_of("pager").dead_letters(), 1U);
    EXPECT_EQ(audit_.actions(), Strings{"config.rejected"});
}

TEST_F(MetaEventsTest, measure_being_down_by_what_is_configured_at_the_moment) {
    meta_.take({true, 12});
    add_both();

    write("a");
    EXPECT_TRUE(pipeline_.snapshot_of("audit").is_up) << "ten attempts so far";
    EXPECT_TRUE(pager_.took.empty());
    meta_.take({true, 10});
    EXPECT_FALSE(pipeline_.snapshot_of("audit").is_up);
    pipeline_.advance(1s);

    ASSERT_EQ(pager_.took.size(), 1U);
    EXPECT_EQ(pager_.took[0].at("failures"), 11);
}

TEST_F(MetaEventsTest, do_not_call_down_who_asks_for_time) {
    audit_.answer = Outcome::refused(503, 10s);
    add_both();

    write("a");
    pipeline_.advance(10min);

    EXPECT_GT(audit_.attempts, 10U);
    EXPECT_TRUE(pager_.took.empty());
}

TEST_F(MetaEventsTest, tell_that_an_endpoint_is_down_once_they_are_switched_on) {
    meta_.take({false, 5});
    add_both();

    write("a");
    pipeline_.advance(10s);
    EXPECT_TRUE(pager_.took.empty());
    meta_.take({true, 5});
    pipeline_.advance(1s);

    EXPECT_EQ(pager_.actions(), Strings{"endpoint.down"});
}

TEST_F(MetaEventsTest, tell_of_an_endpoint_that_is_given_other_settings_what_has_not_been_told) {
    add_both();
    write("a");

    EndpointOptions settings;
    settings.name = "audit";
    settings.news = &meta_;
    settings.make_sink = [this](const SinkContext&) {
        return std::make_unique<ScriptedSink>(receiver_, pipeline_.clock, audit_.script());
    };
    EndpointChanges changes;
    changes.changed.push_back(std::move(settings));
    pipeline_.broadcaster.apply(std::move(changes));
    pipeline_.advance(10s);
    EXPECT_EQ(pager_.actions(), Strings{"endpoint.down"});
    audit_.answer = Outcome::delivered(200);
    pipeline_.advance(1s);

    EXPECT_EQ(pager_.actions(), (Strings{"endpoint.down", "endpoint.up"}));
}

TEST_F(MetaEventsTest, heed_other_rules_from_the_event_on_that_comes_next) {
    add_both();
    EndpointOptions settings;
    settings.name = "pager";
    settings.make_sink = [this](const SinkContext&) {
        return std::make_unique<ScriptedSink>(receiver_, pipeline_.clock, pager_.script());
    };
    EndpointChanges changes;
    changes.changed.push_back(std::move(settings));
    pipeline_.broadcaster.apply(std::move(changes));

    write("a");

    EXPECT_EQ(pager_.actions(), Strings{"push"});
}

TEST_F(MetaEventsTest, tell_nothing_of_an_endpoint_that_was_removed) {
    add("pager", pager_, asking_for(meta_actions()));
    const auto audit = add("audit", audit_);
    pipeline_.write("a");
    pipeline_.broadcaster.remove(audit, 1min);
    pipeline_.advance(1min);

    EXPECT_GT(audit_.attempts, 10U);
    EXPECT_TRUE(pager_.took.empty());
}

TEST_F(MetaEventsTest, are_not_written_after_close) {
    add_both();
    pipeline_.poll();
    pipeline_.broadcaster.close();

    meta_.config_rejected({1, {"bad"}, "h"});
    pipeline_.poll();

    EXPECT_TRUE(pager_.took.empty());
    EXPECT_EQ(pipeline_.log_count("a meta event was not written"), 1U);
}

TEST_F(MetaEventsTest, tell_of_events_given_up_at_most_once_a_minute) {
    EndpointOptions options;
    options.retry.permanent = {{400, 400}};
    audit_.answer = Outcome::refused(400);
    add_both(std::move(options));

    pipeline_.write_many(10);
    pipeline_.advance(59s);
    write("x");
    EXPECT_EQ(pager_.took.size(), 1U);
    pipeline_.advance(1s);
    write("y");

    ASSERT_EQ(pager_.actions(), (Strings{"delivery.failed", "delivery.failed"}));
    const json& first = pager_.took[0];
    EXPECT_EQ(first.at("endpoint"), "audit");
    EXPECT_EQ(first.at("event_id"), "0");
    EXPECT_EQ(first.at("seq"), 1);
    EXPECT_EQ(first.at("reason"), "permanent");
    EXPECT_EQ(first.at("status"), 400);
    EXPECT_EQ(first.at("error"), nullptr);
    EXPECT_EQ(first.at("attempts"), 1);
    EXPECT_EQ(first.at("not_told"), 0);
    EXPECT_EQ(pager_.took[1].at("event_id"), "y");
    EXPECT_EQ(pager_.took[1].at("not_told"), 10);
    EXPECT_EQ(metrics_of("audit").dead_letters(), 12U);
}

TEST_F(MetaEventsTest, count_the_rest_of_a_batch_among_those_not_told) {
    EndpointOptions options;
    options.batch.events_max = 3;
    options.retry.attempts_max = 1;
    audit_.answer = Outcome::retry(Reason::connect);
    add_both(std::move(options));

    pipeline_.write_many(3);
    pipeline_.poll();

    ASSERT_EQ(pager_.actions(), Strings{"delivery.failed"});
    EXPECT_EQ(pager_.took[0].at("reason"), "max_attempts");
    EXPECT_EQ(pager_.took[0].at("status"), nullptr);
    EXPECT_EQ(pager_.took[0].at("error"), "connect");
    EXPECT_EQ(pager_.took[0].at("not_told"), 2);
}

TEST_F(MetaEventsTest, are_dropped_where_events_are_refused_and_there_is_no_room) {
    Strings all = meta_actions();
    all.emplace_back("push");
    EndpointOptions options = asking_for(all);
    options.bounds = {.events_max = 1, .overflow = Overflow::reject};
    pager_.answer = Outcome::refused(500);
    add("pager", pager_, std::move(options));
    write("a");

    meta_.config_rejected({1, {"bad"}, "h"});
    pipeline_.poll();

    const EndpointMetrics metrics = metrics_of("pager");
    EXPECT_EQ(metrics.meta_events(), 1U);
    EXPECT_EQ(metrics.dropped_events(DropReason::overflow), 1U);
    EXPECT_EQ(pipeline_.snapshot_of("pager").pending_events, 1U);

    pager_.answer = Outcome::delivered(200);
    pipeline_.advance(1s);
    write("b");

    EXPECT_EQ(pager_.actions(), (Strings{"push", "push"})) << "there is room again";
}

TEST_F(MetaEventsTest, make_room_for_themselves_where_others_do) {
    EndpointOptions options = asking_for(meta_actions());
    options.bounds = {.events_max = 2, .overflow = Overflow::drop_oldest};
    add("pager", pager_, std::move(options))->pause();
    pipeline_.poll();
    pipeline_.broadcaster.find("pager")->pause();

    for (int i = 0; i < 4; ++i) meta_.config_rejected({std::size_t(i), {"bad"}, "h"});
    pipeline_.poll();
    pipeline_.broadcaster.find("pager")->resume();
    pipeline_.poll();

    ASSERT_EQ(pager_.took.size(), 2U);
    EXPECT_EQ(pager_.took[0].at("problems"), 2);
    EXPECT_EQ(metrics_of("pager").dropped_events(DropReason::overflow), 2U);
}

TEST_F(MetaEventsTest, say_what_a_reload_has_changed) {
    add("pager", pager_, asking_for(meta_actions()));
    Strings many;
    for (int i = 0; i < 103; ++i) many.push_back("e" + std::to_string(i));

    meta_.config_reloaded({many, {}, {"gone"}, 7, {"history.capacity"}, {"threads"}, "abc"});
    pipeline_.poll();

    ASSERT_EQ(pager_.actions(), Strings{"config.reloaded"});
    const json& event = pager_.took[0];
    EXPECT_EQ(event.at("added").size(), MetaEvents::names_max);
    EXPECT_EQ(event.at("names_left_out"), 3);
    EXPECT_EQ(event.at("changed"), json::array());
    EXPECT_EQ(event.at("removed"), json({"gone"}));
    EXPECT_EQ(event.at("unchanged"), 7);
    EXPECT_EQ(event.at("settings"), json({"history.capacity"}));
    EXPECT_EQ(event.at("needs_restart"), json({"threads"}));
    EXPECT_EQ(event.at("hash"), "abc");
}

TEST_F(MetaEventsTest, say_why_a_configuration_was_rejected_in_few_words) {
    add("pager", pager_, asking_for(meta_actions()));
    const Strings texts(20, std::string(2000, 'x') + "\xff");

    meta_.config_rejected({20, texts, "abc"});
    pipeline_.poll();

    ASSERT_EQ(pager_.actions(), Strings{"config.rejected"});
    const json& event = pager_.took[0];
    EXPECT_EQ(event.at("problems"), 20);
    EXPECT_EQ(event.at("errors").size(), MetaEvents::problems_max);
    EXPECT_EQ(event.at("errors")[0].get<std::string>().size(), MetaEvents::text_bytes_max);
}

TEST(MetaEventsInHistory, stand_among_the_others_with_their_source) {
    ManualClock clock;
    History history(clock, {});
    Pipeline pipeline;
    pipeline.broadcaster.keep_history(history);
    MetaEvents meta(pipeline.broadcaster, pipeline.clock, pipeline.log, "i-1");

    pipeline.write("a");
    meta.config_rejected({1, {"bad"}, "h"});
    pipeline.write("b");

    const HistorySlice slice = history.read(1, 10, 100'000);
    ASSERT_EQ(slice.records.size(), 3U);
    EXPECT_EQ(slice.records[1].seq, 2U);
    EXPECT_EQ(slice.records[1].source, EventSource::meta);
    EXPECT_EQ(slice.records[1].event->action(), "config.rejected");
    EXPECT_EQ(slice.records[2].source, EventSource::http);
}

}  // namespace
}  // namespace fanfare::test
