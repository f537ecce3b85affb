// Lists of events that wait until there is one.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "stream_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

class LongPolls : public StreamBench {
  protected:
    /// Asks, and comes back when the answer is there or waits for the clock.
    std::unique_ptr<Answering> ask_for(const std::string& parameters,
                                       std::function<bool()> is_awaited = {}) {
        Asked asked{.target = "/v1/events?" + parameters};
        asked.is_awaited = std::move(is_awaited);
        auto request = std::make_unique<Answering>(*this, std::move(asked));
        settle(*request);
        return request;
    }

    /// One that has found nothing, gathered for as long as it does, and waits for what comes.
    std::unique_ptr<Answering> waiting(const std::string& parameters,
                                       std::function<bool()> is_awaited = {}) {
        std::unique_ptr<Answering> request = ask_for(parameters, std::move(is_awaited));
        advance(20ms);
        EXPECT_FALSE(request->is_done());
        return request;
    }

    /// Texts are made on a thread apart.
    void settle(const Answering& request) {
        wait_until_so([&] { return request.is_done() || clock.alarm_count() > 0; });
    }

    Json answer_of(Answering& request) {
        settle(request);
        EXPECT_TRUE(request.is_done()) << "still waits";
        return request.is_done() ? Json::parse(request.get().body) : Json();
    }

    static std::vector<std::uint64_t> seqs_of(const Json& answer) {
        std::vector<std::uint64_t> seqs;
        for (const Json& record : answer.at("events")) seqs.push_back(record.at("seq"));
        return seqs;
    }

    using Seqs = std::vector<std::uint64_t>;
};

TEST_F(LongPolls, do_not_wait_where_there_is_something) {
    add(2);

    const auto request = ask_for("start=1&wait=30");

    EXPECT_EQ(seqs_of(answer_of(*request)), (Seqs{1, 2}));
}

TEST_F(LongPolls, do_not_wait_unless_they_are_told_to) {
    const auto request = ask_for("start=1");

    EXPECT_EQ(answer_of(*request)["status"], "up_to_date");
}

// H15.
TEST_F(LongPolls, end_with_the_event_that_they_wait_for) {
    add(1);
    const auto request = waiting("start=2&wait=5");
    advance(1s);
    EXPECT_FALSE(request->is_done());

    add(1);

    const Json answer = answer_of(*request);
    EXPECT_EQ(answer["status"], "ok");
    EXPECT_EQ(seqs_of(answer), Seqs{2});
    EXPECT_EQ(answer["next_start"], 3);
}

TEST_F(LongPolls, end_when_they_have_waited_as_long_as_they_were_told) {
    add(1);
    const auto request = waiting("start=2&wait=5");

    advance(5s - 20ms - 1ms);
    EXPECT_FALSE(request->is_done());
    EXPECT_EQ(clock.alarm_count(), 1U);
    advance(1ms);

    const Json answer = answer_of(*request);
    EXPECT_EQ(answer["status"], "up_to_date");
    EXPECT_EQ(seqs_of(answer), Seqs());
    EXPECT_EQ(answer["next_start"], 2);
}

TEST_F(LongPolls, gather_what_comes_soon_after_they_have_looked) {
    const auto request = ask_for("start=1&wait=5");
    add(1);
    advance(10ms);
    add(1);
    advance(9ms);
    EXPECT_EQ(clock.alarm_count(), 1U) << "that of the pause";
    advance(1ms);

    EXPECT_EQ(seqs_of(answer_of(*request)), (Seqs{1, 2}));
}

TEST_F(LongPolls, wait_on_when_what_comes_does_not_fit) {
    const auto request = waiting("start=1&wait=5&action=push");

    add(2, "pull");
    settle(*request);
    EXPECT_FALSE(request->is_done());
    add(1, "push");
    advance(20ms);

    const Json answer = answer_of(*request);
    EXPECT_EQ(seqs_of(answer), Seqs{3});
    EXPECT_EQ(answer["next_start"], 4);
}

TEST_F(LongPolls, wait_no_longer_in_all_when_things_come_that_do_not_fit) {
    const auto request = waiting("start=1&wait=5&action=push");

    for (int i = 0; i < 4; ++i) {
        advance(1s);
        add(1, "pull");
        settle(*request);
    }
    advance(1s - 20ms - 1ms);
    EXPECT_FALSE(request->is_done());
    advance(1ms);

    const Json answer = answer_of(*request);
    EXPECT_EQ(seqs_of(answer), Seqs());
    EXPECT_EQ(answer["next_start"], 5) << "what did not fit need not be looked at again";
}

TEST_F(LongPolls, wait_for_the_first_event_of_all) {
    const auto request = waiting("wait=5");

    add(1);

    EXPECT_EQ(seqs_of(answer_of(*request)), Seqs{1});
}

TEST_F(LongPolls, are_all_answered_by_one_event) {
    Answering first(*this, {.target = "/v1/events?start=1&wait=5"});
    Answering second(*this, {.target = "/v1/events?start=1&wait=5"});
    wait_until_so([&] { return clock.alarm_count() == 2; });
    advance(20ms);

    add(1);

    wait_until_so([&] { return first.is_done() && second.is_done(); });
    EXPECT_EQ(seqs_of(answer_of(first)), Seqs{1});
    EXPECT_EQ(seqs_of(answer_of(second)), Seqs{1});
}

TEST_F(LongPolls, end_with_their_client) {
    bool is_there = true;
    const auto request = waiting("start=1&wait=30", [&] { return is_there; });
    advance(10s);
    EXPECT_FALSE(request->is_done());

    is_there = false;
    advance(500ms);

    EXPECT_TRUE(request->is_done()) << "without a look at the history that nobody would see";
    EXPECT_EQ(clock.alarm_count(), 0U);
}

TEST_F(LongPolls, end_with_the_daemon) {
    const auto request = waiting("start=1&wait=30");

    hub.stop();
    poll();

    EXPECT_EQ(answer_of(*request)["status"], "up_to_date");
}

TEST_F(LongPolls, end_with_the_daemon_while_they_gather) {
    const auto request = ask_for("start=1&wait=30");

    hub.stop();
    advance(20ms);

    EXPECT_EQ(answer_of(*request)["status"], "up_to_date");
}

TEST_F(LongPolls, do_not_wait_once_the_daemon_ends) {
    hub.stop();

    const auto request = ask_for("start=1&wait=30");

    EXPECT_EQ(answer_of(*request)["status"], "up_to_date");
}

TEST_F(LongPolls, end_with_the_history) {
    const auto request = waiting("start=1&wait=30");

    keep(0);
    settle(*request);

    ASSERT_TRUE(request->is_done());
    EXPECT_EQ(request->get().status, 404);
}

TEST_F(LongPolls, do_not_wait_for_what_has_gone_or_is_far) {
    keep(2);
    add(5);

    const Json gone = answer_of(*ask_for("start=1&wait=30"));
    const Json far = answer_of(*ask_for("start=7&wait=30"));

    EXPECT_EQ(gone["status"], "evicted");
    EXPECT_EQ(gone["missed"], 3);
    EXPECT_EQ(gone["next_start"], 4);
    EXPECT_EQ(far["status"], "future");
}

TEST_F(LongPolls, tell_that_they_were_overtaken_while_they_gathered) {
    keep(2);
    const auto request = ask_for("start=1&wait=30");
    add(5);
    advance(20ms);

    const Json answer = answer_of(*request);

    EXPECT_EQ(answer["status"], "evicted");
    EXPECT_EQ(answer["missed"], 3);
    EXPECT_EQ(answer["next_start"], 4);
}

TEST_F(LongPolls, do_not_wait_for_the_last_ones) {
    const auto request = ask_for("tail=3&wait=30");

    EXPECT_EQ(answer_of(*request)["status"], "up_to_date");
}

TEST_F(LongPolls, wait_for_half_a_minute_at_most) {
    for (const std::string wait : {"31", "-1", "x", "", "1s", "18446744073709551615"}) {
        const Response answer = ask({.target = "/v1/events?wait=" + wait});
        EXPECT_EQ(answer.status, 400) << wait;
        EXPECT_NE(answer.body.find(R"("parameter":"wait")"), std::string::npos) << answer.body;
    }
    EXPECT_FALSE(waiting("wait=30")->is_done());
}

}  // namespace
}  // namespace fanfare::test
