// Texts and filters of live streams.
#include <gtest/gtest.h>

#include "server/events/cursor.h"
#include "server/events/record_filter.h"
#include "server/events/stream_frames.h"

namespace fanfare::test {
namespace {

constexpr const char* instance = "4745779b-c3e2-4e6d-8811-efc0da8568a2";

HistoryRecord record_of(std::uint64_t seq, const std::string& payload,
                        std::string_view action = "push") {
    EventFields fields;
    fields.id = "a";
    fields.action = action;
    HistoryRecord record;
    record.seq = seq;
    record.received = WallTime(std::chrono::microseconds(1'767'322'445'678'901));
    record.event = Event::make(payload, fields);
    return record;
}

class Frames : public testing::Test {
  protected:
    std::string out_;
    StreamFrames lines_{StreamFormat::ndjson, instance, 3000};
    StreamFrames sse_{StreamFormat::sse, instance, 3000};
};

TEST_F(Frames, tell_an_event) {
    lines_.event(out_, record_of(42, R"({"id":"a"})"));
    EXPECT_EQ(out_, R"({"type":"event","seq":42,"received":"2026-01-02T02:54:05.678901Z",)"
                    R"("source":"http","event":{"id":"a"}})"
                    "\n");
    out_.clear();
    sse_.event(out_, record_of(42, R"({"id":"a"})"));
    EXPECT_EQ(out_, std::string("id: ") + instance + ":42\n" +
                        R"(data: {"seq":42,"received":"2026-01-02T02:54:05.678901Z",)" +
                        R"("source":"http","event":{"id":"a"}})" + "\n\n");
}

TEST_F(Frames, say_hello_and_goodbye) {
    sse_.hello(out_, "s-7", {6, 26}, 24);
    EXPECT_EQ(out_, std::string("retry: 3000\nevent: hello\ndata: ") +
                        R"({"type":"hello","instance":")" + instance +
                        R"(","stream":"s-7","lowest":6,"next":26,"start":24})" + "\n\n");
    out_.clear();
    lines_.close(out_, StreamEnd::slow_consumer, 25);
    EXPECT_EQ(out_, "{\"type\":\"close\",\"reason\":\"slow_consumer\",\"last_seq\":25}\n");
}

TEST_F(Frames, tell_a_gap) {
    lines_.gap(out_, {3, 5, GapReason::evicted});
    EXPECT_EQ(out_, R"({"type":"gap","from":3,"to":5,"missed":3,"reason":"evicted"})"
                    "\n");
    out_.clear();
    sse_.gap(out_, {0, 5, GapReason::restart});
    EXPECT_EQ(out_, std::string("id: ") + instance + ":5\nevent: gap\ndata: " +
                        R"({"type":"gap","from":null,"to":5,"missed":null,"reason":"restart"})" +
                        "\n\n");
}

TEST_F(Frames, show_where_a_reader_is_that_wanted_nothing) {
    sse_.ping(out_, 26, true);
    EXPECT_EQ(out_, std::string("id: ") + instance + ":25\n\n: ping\n\n");
    out_.clear();
    sse_.ping(out_, 26, false);
    EXPECT_EQ(out_, ": ping\n\n");
    out_.clear();
    lines_.ping(out_, 26, true);
    EXPECT_EQ(out_, "{\"type\":\"ping\",\"next\":26}\n");
}

TEST(Cursors, are_read_whole_or_not_at_all) {
    EXPECT_EQ(Cursor::parse("17")->seq, 17U);
    EXPECT_EQ(Cursor::parse("17")->instance, "");
    EXPECT_EQ(Cursor::parse(std::string(instance) + ":0")->instance, instance);
    for (const std::string bad : {"", ":", "x", "-1", "+1", " 1", "1x", "0x1", "a:1",
                                  "99999999999999999999", "4745779b:1"}) {
        EXPECT_FALSE(Cursor::parse(bad)) << bad;
    }
    EXPECT_FALSE(Cursor::parse(std::string(instance) + ":"));
    EXPECT_FALSE(Cursor::parse(std::string(instance) + ":1:2"));
}

RecordFilter filter_of(const std::string& target) {
    const std::vector<std::string_view> known = {"action", "source", "target"};
    const Result<Query> query = Query::parse("/x?" + target, known);
    Result<RecordFilter> filter = RecordFilter::parse(*query, built_in_action_groups());
    EXPECT_TRUE(filter.has_value()) << target;
    return *filter;
}

TEST(RecordFilters, want_what_every_list_names) {
    const HistoryRecord push = record_of(1, R"({"target":{"repository":"lib/a"}})", "push");
    const HistoryRecord pull = record_of(2, R"({"subject":"lib/b"})", "pull");

    EXPECT_TRUE(filter_of("").wants(push));
    EXPECT_TRUE(filter_of("action=@write").wants(push));
    EXPECT_FALSE(filter_of("action=@write").wants(pull));
    EXPECT_TRUE(filter_of("action=@write,pull").wants(pull));
    EXPECT_TRUE(filter_of("target=lib/*").wants(pull));
    EXPECT_FALSE(filter_of("target=lib/a").wants(pull));
    EXPECT_FALSE(filter_of("source=meta").wants(push));
    EXPECT_FALSE(filter_of("action=push&target=lib/b").wants(push));
    EXPECT_EQ(filter_of("target=a&action=@write").text(), "action=@write&target=a");
}

}  // namespace
}  // namespace fanfare::test
