// Where a stream begins, in which format, and what is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "stream_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr const char* other_instance = "ffffffff-c3e2-4e6d-8811-efc0da8568a2";

class StartOfStreams : public StreamBench {
  protected:
    static std::string cursor(std::uint64_t seq) {
        return std::string(instance) + ':' + std::to_string(seq);
    }

    /// What a stream tells first that was asked for like this.
    std::string told(const std::string& parameters, const std::string& last_event_id) {
        Asked asked{.target = "/v1/events/stream?" + parameters,
                    .fields = {{"Last-Event-ID", last_event_id}}};
        return told(std::move(asked));
    }
    std::string told(const std::string& parameters) {
        return told(Asked{.target = "/v1/events/stream?" + parameters});
    }
    std::string told(Asked asked) {
        const auto stream = open_without_beginning(std::move(asked));
        stream->begin();
        return stream->take();
    }

    std::string refused(const std::string& parameters) {
        const Response answer = ask({.target = "/v1/events/stream?" + parameters});
        EXPECT_EQ(answer.status, 400);
        EXPECT_FALSE(answer.stream);
        EXPECT_EQ(open_streams(), 0U);
        return Json::parse(answer.body).at("errors").at(0).at("code");
    }
};

TEST_F(StartOfStreams, is_the_present) {
    add(3);

    EXPECT_EQ(told(""), "hello");
    EXPECT_EQ(told("count=0"), "hello");
}

// S2, S3.
TEST_F(StartOfStreams, is_a_number_of_events_back) {
    keep(5);
    add(7);

    EXPECT_EQ(told("count=2"), "hello 6 7");
    EXPECT_EQ(told("count=18446744073709551615"), "hello 3 4 5 6 7");
}

TEST_F(StartOfStreams, is_a_number_of_events_back_that_fit) {
    add(2, "push");
    add(3, "pull");
    add(1, "push");
    add(2, "pull");

    EXPECT_EQ(told("count=2&action=push"), "hello 2 6");
    EXPECT_EQ(told("count=2&action=delete"), "hello");
}

// S7.
TEST_F(StartOfStreams, is_behind_the_cursor) {
    keep(3);
    add(5);

    EXPECT_EQ(told("since=2"), "hello 3 4 5");
    EXPECT_EQ(told("since=" + cursor(4)), "hello 5");
    EXPECT_EQ(told("since=5"), "hello");
    EXPECT_EQ(gaps(GapReason::evicted), 0U);
}

TEST_F(StartOfStreams, is_a_gap_behind_a_cursor_that_the_ring_has_passed) {
    keep(3);
    add(5);

    EXPECT_EQ(told("since=1"), "hello gap:2-2 3 4 5");
    EXPECT_EQ(told("since=" + cursor(0)), "hello gap:1-2 3 4 5");
}

TEST_F(StartOfStreams, cannot_be_in_the_future) {
    keep(3);
    add(5);

    EXPECT_EQ(refused("since=6"), "CURSOR_IN_FUTURE");
    EXPECT_EQ(refused("since=9"), "CURSOR_IN_FUTURE");
    EXPECT_EQ(refused("since=18446744073709551615"), "CURSOR_IN_FUTURE");
    const Response answer =
        ask({.target = "/v1/events/stream", .fields = {{"Last-Event-ID", cursor(6)}}});
    EXPECT_EQ(answer.status, 400);
}

// S8.
TEST_F(StartOfStreams, is_all_there_is_after_another_instance) {
    keep(3);
    add(5);

    EXPECT_EQ(told("since=" + std::string(other_instance) + ":9"), "hello gap:null-2 3 4 5");
    EXPECT_EQ(gaps(GapReason::restart), 1U);
    EXPECT_EQ(gaps(GapReason::evicted), 0U);
}

TEST_F(StartOfStreams, tells_of_another_instance_where_there_is_no_event_yet) {
    EXPECT_EQ(told("since=" + std::string(other_instance) + ":9"), "hello gap:null-0");
}

// S6.
TEST_F(StartOfStreams, is_where_a_browser_was) {
    add(7);

    EXPECT_EQ(told("", cursor(3)), "hello 4 5 6 7");
    EXPECT_EQ(told("since=1&count=1", cursor(5)), "hello 6 7") << "the field comes first";
}

TEST_F(StartOfStreams, is_by_cursor_before_it_is_by_count) {
    add(7);

    EXPECT_EQ(told("since=4&count=1"), "hello 5 6 7");
}

TEST_F(StartOfStreams, is_the_present_for_a_browser_that_sends_nonsense) {
    add(3);

    for (const std::string id : {"", "x", "2", "a:1"}) {
        EXPECT_EQ(told("since=1", id), "hello") << '"' << id << '"';
        EXPECT_EQ(told("count=2", id), "hello") << '"' << id << '"';
    }
}

TEST_F(StartOfStreams, is_refused_for_what_is_no_cursor) {
    for (const std::string since : {"", "x", "-1", "1x", "a:1", ":1"}) {
        EXPECT_EQ(refused("since=" + since), "INVALID_CURSOR") << since;
    }
}

TEST_F(StartOfStreams, is_refused_for_parameters_that_are_not_valid) {
    for (const std::string parameters :
         {"count=xyz", "count=-1", "format=xml", "name=%0A", "name=%C3%A4", "action="}) {
        EXPECT_EQ(refused(parameters), "INVALID_PARAMETER") << parameters;
    }
    EXPECT_EQ(refused("name=" + std::string(129, 'x')), "INVALID_PARAMETER");
    EXPECT_EQ(told("name=" + std::string(128, 'x')), "hello");
}

// S12: what is wrong with a request is told before that there is no room for it.
TEST_F(StartOfStreams, is_looked_at_before_the_limits) {
    StreamsOptions options;
    options.total_max = 1;
    use(options);
    const auto stream = open();

    EXPECT_EQ(ask({.target = "/v1/events/stream?count=xyz"}).status, 400);
    EXPECT_EQ(rejected(StreamRefusal::total), 0U);
}

TEST_F(StartOfStreams, is_refused_without_history) {
    keep(0);

    const Response answer = ask({.target = "/v1/events/stream"});

    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(answer.body.find("HISTORY_DISABLED"), std::string::npos);
}

TEST_F(StartOfStreams, has_the_format_that_is_asked_for) {
    const auto type_of = [this](Asked asked) {
        return std::string(open_without_beginning(std::move(asked))->response.content_type);
    };
    const std::string lines = "application/x-ndjson; charset=utf-8";
    const std::string sse = "text/event-stream; charset=utf-8";
    const std::string target = "/v1/events/stream";

    EXPECT_EQ(type_of({.target = target}), lines);
    EXPECT_EQ(type_of({.target = target + "?format=sse"}), sse);
    EXPECT_EQ(type_of({.target = target, .fields = {{"Accept", "Text/Event-Stream"}}}), sse);
    EXPECT_EQ(type_of({.target = target, .fields = {{"Accept", "*/*"}}}), lines);
    EXPECT_EQ(
        type_of({.target = target + "?format=ndjson", .fields = {{"Accept", "text/event-stream"}}}),
        lines);
}

TEST_F(StartOfStreams, has_fields_for_proxies_and_other_pages) {
    using Field = std::pair<std::string, std::string>;
    EXPECT_EQ(open()->response.headers, std::vector{Field("X-Accel-Buffering", "no")});
    StreamsOptions options;
    options.cors_origin = "https://example.org";
    use(options);

    EXPECT_EQ(open()->response.headers.back(),
              Field("Access-Control-Allow-Origin", "https://example.org"));
}

TEST_F(StartOfStreams, is_a_head_alone_for_who_asks_for_that) {
    const Response answer = ask({.target = "/v1/events/stream", .method = "HEAD"});

    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.stream) << "that its head may be that of a stream";
    EXPECT_EQ(open_streams(), 0U);
    EXPECT_EQ(hub.totals().opened[std::size_t(StreamFormat::ndjson)], 0U);
}

TEST_F(StartOfStreams, tells_a_browser_when_to_come_back) {
    StreamsOptions options;
    options.sse_retry_ms = 1234;
    use(options);

    EXPECT_TRUE(open("format=sse")->take_text().starts_with("retry: 1234\nevent: hello\n"));
}

}  // namespace
}  // namespace fanfare::test
