// Streams that are listed, kicked, limited, and ended with the daemon.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "stream_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

class StreamControl : public StreamBench {
  protected:
    Json list() { return Json::parse(ask({.target = "/v1/streams"}).body); }

    std::string code_of(const Response& response) {
        return Json::parse(response.body).at("errors").at(0).at("code");
    }

    Response ask_for_stream(const std::string& peer) {
        return ask({.target = "/v1/events/stream",
                    .peer = {.is_local = true, .is_unix = false, .text = peer}});
    }

    void limit(std::size_t total, std::size_t per_client) {
        StreamsOptions options;
        options.total_max = total;
        options.per_client_max = per_client;
        use(options);
    }
};

// A stream that idles.
TEST_F(StreamControl, kicks_a_stream_at_once) {
    const auto stream = open();
    const auto other = open();
    stream->take();

    EXPECT_EQ(kick("s-1"), 204);
    poll();

    EXPECT_EQ(stream->take_text(), "{\"type\":\"close\",\"reason\":\"kicked\",\"last_seq\":0}\n");
    EXPECT_TRUE(stream->is_ended());
    EXPECT_FALSE(other->is_ended());
    stream->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::kicked), 1U);
    EXPECT_EQ(kick("s-1"), 404) << "it is gone";
}

TEST_F(StreamControl, kicks_a_stream_in_the_midst_of_a_write) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);

    EXPECT_EQ(kick("s-1"), 204);
    advance(500ms);
    EXPECT_FALSE(stream->is_ended());
    stream->reader.release();
    poll();

    EXPECT_EQ(stream->take(), "hello 1 close:kicked");
    EXPECT_TRUE(stream->is_ended());
    EXPECT_FALSE(stream->reader.is_cut);
}

TEST_F(StreamControl, tells_who_was_kicked_even_if_he_takes_a_while) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);
    EXPECT_EQ(kick("s-1"), 204);

    advance(1500ms);
    stream->reader.release();
    poll();

    EXPECT_EQ(stream->take(), "hello 1 close:kicked");
}

TEST_F(StreamControl, cuts_off_who_was_kicked_and_takes_nothing) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);

    EXPECT_EQ(kick("s-1"), 204);
    advance(2s);

    EXPECT_TRUE(stream->reader.is_cut);
    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(logged("reason=kicked").size(), 1U);
}

TEST_F(StreamControl, kicks_a_stream_that_has_not_begun) {
    const auto stream = open_without_beginning({.target = "/v1/events/stream"});

    EXPECT_EQ(kick("s-1"), 204);
    stream->begin();

    EXPECT_EQ(stream->take(), "hello close:kicked");
}

TEST_F(StreamControl, kicks_nobody_by_what_is_no_id) {
    const auto stream = open();

    for (const std::string id :
         {"s-0", "s-2", "1", "s-", "s-1x", "S-1", "s-+1", "x", "s-99999999999999999999"}) {
        EXPECT_EQ(kick(id), 404) << id;
    }

    EXPECT_FALSE(stream->is_ended());
    const Response answer = ask({.target = "/v1/streams/s-2", .method = "DELETE"});
    EXPECT_EQ(code_of(answer), "STREAM_UNKNOWN");
}

TEST_F(StreamControl, ends_all_streams_with_the_daemon) {
    const auto lines = open();
    const auto browser = open("format=sse");
    browser->take_text();

    hub.stop();
    poll();

    EXPECT_EQ(lines->take(), "hello close:shutdown");
    EXPECT_EQ(
        browser->take_text(),
        "event: close\ndata: {\"type\":\"close\",\"reason\":\"shutdown\",\"last_seq\":0}\n\n");
    EXPECT_TRUE(lines->is_ended());
    EXPECT_TRUE(browser->is_ended());
    lines->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::shutdown), 1U);
}

TEST_F(StreamControl, ends_a_stream_that_gathers_events_with_the_daemon) {
    const auto stream = open();
    add(1);
    add(1);

    hub.stop();
    poll();

    EXPECT_EQ(stream->take(), "hello 1 close:shutdown");
}

TEST_F(StreamControl, ends_a_stream_that_has_not_begun_with_the_daemon) {
    const auto stream = open_without_beginning({.target = "/v1/events/stream"});

    hub.stop();
    stream->begin();

    EXPECT_EQ(stream->take(), "hello close:shutdown");
}

TEST_F(StreamControl, tells_who_was_slow_that_the_daemon_ends) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);

    hub.stop();
    advance(1500ms);
    stream->reader.release();
    poll();

    EXPECT_EQ(stream->take(), "hello 1 close:shutdown");
}

TEST_F(StreamControl, does_not_let_the_daemon_wait_for_who_takes_nothing) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);

    hub.stop();
    advance(2s);

    EXPECT_TRUE(stream->reader.is_cut);
    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(logged("reason=shutdown").size(), 1U);
}

TEST_F(StreamControl, ends_a_stream_whose_server_stops) {
    const auto stream = open();

    stream->reader.stop_server();
    poll();

    EXPECT_EQ(stream->take(), "hello close:shutdown");
}

TEST_F(StreamControl, opens_no_stream_once_the_daemon_ends) {
    hub.stop();

    const Response answer = ask({.target = "/v1/events/stream"});

    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(open_streams(), 0U);
}

// S12.
TEST_F(StreamControl, has_a_limit_in_all) {
    limit(2, 2);
    auto first = open();
    const auto second = open();

    const Response answer = ask_for_stream("127.0.0.2:1");

    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(code_of(answer), "TOO_MANY_STREAMS");
    EXPECT_EQ(answer.headers.back(), (std::pair<std::string, std::string>("Retry-After", "5")));
    EXPECT_EQ(rejected(StreamRefusal::total), 1U);
    first.reset();
    EXPECT_EQ(ask_for_stream("127.0.0.2:1").status, 200);
}

// S13.
TEST_F(StreamControl, has_a_limit_for_each_client) {
    limit(10, 2);
    auto first = open();
    const auto second = open();

    const Response answer = ask_for_stream("127.0.0.1:9999");

    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(code_of(answer), "TOO_MANY_STREAMS_FOR_CLIENT");
    EXPECT_EQ(answer.headers.back(), (std::pair<std::string, std::string>("Retry-After", "5")));
    EXPECT_EQ(rejected(StreamRefusal::client), 1U);
    EXPECT_EQ(ask_for_stream("127.0.0.2:9999").status, 200);
    EXPECT_EQ(ask_for_stream("[::1]:9999").status, 200);
    first.reset();
    EXPECT_EQ(ask_for_stream("127.0.0.1:9999").status, 200);
}

TEST_F(StreamControl, takes_all_who_come_over_a_unix_socket_for_one_client) {
    limit(10, 1);
    const Asked asked{.target = "/v1/events/stream",
                      .peer = {.is_local = true, .is_unix = true, .text = "unix"}};
    const auto stream = open_without_beginning(asked);

    EXPECT_EQ(ask(asked).status, 429);
}

TEST_F(StreamControl, can_be_switched_off) {
    limit(0, 1);

    const Response answer = ask({.target = "/v1/events/stream"});

    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(code_of(answer), "STREAMS_DISABLED");
    EXPECT_EQ(rejected(StreamRefusal::disabled), 1U);
}

TEST_F(StreamControl, lets_streams_go_on_that_a_new_limit_would_not_have_let_in) {
    const auto first = open();
    const auto second = open();

    limit(1, 1);
    add(1);

    EXPECT_EQ(first->take(), "hello 1");
    EXPECT_EQ(second->take(), "hello 1");
    EXPECT_EQ(ask_for_stream("127.0.0.2:1").status, 503);
}

// L1, L3.
TEST_F(StreamControl, lists_who_reads) {
    add(1);
    const auto first = open("name=a&action=@write");
    const auto second = open("name=b&format=sse");
    add(1);
    second->reader.is_held = true;
    advance(1s);
    add(2);

    const Json answer = list();

    EXPECT_EQ(answer["instance"], instance);
    EXPECT_EQ(answer["limit"], Json({{"total", 100}, {"per_client", 15}}));
    EXPECT_EQ(answer["streams"][0], Json({{"id", "s-1"},
                                          {"name", "a"},
                                          {"peer", "127.0.0.1:4711"},
                                          {"format", "ndjson"},
                                          {"created", "2023-12-26T14:13:20.000Z"},
                                          {"cursor", 4},
                                          {"lag", 0},
                                          {"sent", 3},
                                          {"filter", "action=@write"},
                                          {"last_write", "2023-12-26T14:13:21.000Z"}}));
    EXPECT_EQ(answer["streams"][1]["id"], "s-2");
    EXPECT_EQ(answer["streams"][1]["format"], "sse");
    EXPECT_EQ(answer["streams"][1]["filter"], "");
    EXPECT_EQ(answer["streams"][1]["sent"], 1);
    EXPECT_EQ(answer["streams"][1]["last_write"], "2023-12-26T14:13:20.000Z");
    EXPECT_EQ(answer["streams"].size(), 2U);
}

TEST_F(StreamControl, lists_how_far_somebody_is_behind) {
    add(7);
    const auto stream = open_without_beginning({.target = "/v1/events/stream?since=0"});
    EXPECT_EQ(list()["streams"][0]["lag"], 0) << "the past is not";
    EXPECT_EQ(list()["streams"][0]["cursor"], 0);
    EXPECT_TRUE(list()["streams"][0]["last_write"].is_null());
    stream->reader.is_held = true;
    stream->begin();

    add(5);

    EXPECT_EQ(list()["streams"][0]["lag"], 5);
    EXPECT_EQ(list()["streams"][0]["cursor"], 7);
    EXPECT_EQ(hub.totals().lag_max, 5U);
    EXPECT_EQ(hub.totals().active, 1U);
}

// L2.
TEST_F(StreamControl, lists_nobody_who_has_gone) {
    auto first = open();
    const auto second = open();

    first.reset();

    ASSERT_EQ(list()["streams"].size(), 1U);
    EXPECT_EQ(list()["streams"][0]["id"], "s-2");
}

TEST_F(StreamControl, gives_no_id_twice) {
    open();

    const auto stream = open();

    EXPECT_EQ(list()["streams"][0]["id"], "s-2");
    EXPECT_EQ(hub.counts().opened[std::size_t(StreamFormat::ndjson)], 2U);
}

}  // namespace
}  // namespace fanfare::test
