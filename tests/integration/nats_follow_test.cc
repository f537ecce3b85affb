// Reading the log of events on a real NATS server along, whatever becomes of that.
#include <filesystem>

#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::entry;
using test::NatsProcess;
using test::quick_log;
using test::soon;
using test::stored;

/// What follow() has told.
struct Followed {
    void follow(NatsLog& log, std::size_t records) {
        log.follow(
            records,
            [this](const std::string& id, std::uint64_t next) {
                const std::lock_guard lock(mutex);
                starts.emplace_back(id, next);
            },
            [this](std::uint64_t seq, const LogEntry& told) {
                const std::lock_guard lock(mutex);
                seqs.push_back(seq);
                entries.push_back(told);
            });
    }
    std::size_t size() {
        const std::lock_guard lock(mutex);
        return seqs.size();
    }
    std::size_t begun() {
        const std::lock_guard lock(mutex);
        return starts.size();
    }
    std::mutex mutex;
    std::vector<std::pair<std::string, std::uint64_t>> starts;
    std::vector<std::uint64_t> seqs;
    std::vector<LogEntry> entries;
};

class NatsFollowTest : public test::WithNatsServer {};

TEST_F(NatsFollowTest, follows_from_the_last_records_on) {
    Followed followed;
    NatsProcess process(server_.url(), quick_log());
    for (int i = 0; i < 5; ++i) stored(process.events, entry("e" + std::to_string(i)));

    followed.follow(process.events, 2);
    ASSERT_TRUE(soon([&] { return followed.size() == 2; }));
    stored(process.events, entry("later"));

    ASSERT_TRUE(soon([&] { return followed.size() == 3; }));
    EXPECT_EQ(followed.seqs, (std::vector<std::uint64_t>{4, 5, 6}));
    ASSERT_EQ(followed.starts.size(), 1U);
    EXPECT_EQ(followed.starts[0].second, 4U);
    EXPECT_EQ(followed.entries[2].event->id(), "later");
}

TEST_F(NatsFollowTest, follows_on_after_the_server_has_come_back_and_misses_nothing) {
    Followed followed;
    NatsProcess process(server_.url(), quick_log());
    followed.follow(process.events, 10);
    stored(process.events, entry("before"));
    ASSERT_TRUE(soon([&] { return followed.size() == 1; }));

    for (int round = 0; round < 3; ++round) {
        server_.kill();
        server_.start();
        stored(process.events, entry("after-" + std::to_string(round)));
    }

    ASSERT_TRUE(soon([&] { return followed.size() == 4; }));
    EXPECT_EQ(followed.seqs, (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_EQ(followed.starts.size(), 1U);
}

/// A server that has not got the last entries, as one that has just begun to lead.
class NatsFollowBehind : public NatsFollowTest {
  protected:
    std::filesystem::path store() const { return server_.dir() / "store"; }
    /// What is stored now is kept there while the server goes on.
    void copy_store(const char* name) {
        server_.kill();
        std::filesystem::copy(store(), server_.dir() / name,
                              std::filesystem::copy_options::recursive);
        server_.start();
    }
    void use_store(const char* name) {
        server_.kill();
        std::filesystem::remove_all(store());
        std::filesystem::copy(server_.dir() / name, store(),
                              std::filesystem::copy_options::recursive);
        server_.start();
    }
    /// Until it has spoken with that server.
    static bool meets(NatsProcess& process, std::uint64_t last_seq) {
        return soon([&] {
            const SharedLogFigures figures = process.events.figures();
            return figures.is_connected && figures.last_seq == last_seq;
        });
    }
};

// Consumers that were farther would take what is stored at an old number for done with.
TEST_F(NatsFollowBehind, gives_no_number_that_it_has_given_before) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("one"));
    copy_store("early");
    stored(process.events, entry("two"));
    stored(process.events, entry("three"));

    use_store("early");
    ASSERT_TRUE(meets(process, 1));

    EXPECT_EQ(stored(process.events, entry("four")), 4U);
    EXPECT_EQ(stored(process.events, entry("five")), 5U);
}

TEST_F(NatsFollowBehind, is_waited_for) {
    Followed followed;
    NatsProcess process(server_.url(), quick_log());
    followed.follow(process.events, 10);
    stored(process.events, entry("one"));
    copy_store("early");
    stored(process.events, entry("two"));
    copy_store("late");
    ASSERT_TRUE(soon([&] { return followed.size() == 2; }));

    use_store("early");
    ASSERT_TRUE(meets(process, 1));
    use_store("late");
    stored(process.events, entry("three"));

    ASSERT_TRUE(soon([&] { return followed.size() == 3; }));
    EXPECT_EQ(followed.seqs, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(followed.starts.size(), 1U);
}

TEST_F(NatsFollowBehind, counts_as_another_stream_in_the_end) {
    Followed followed;
    NatsLogOptions options = quick_log();
    options.believed_after = 100ms;
    NatsProcess process(server_.url(), std::move(options));
    followed.follow(process.events, 10);
    stored(process.events, entry("one"));
    copy_store("early");
    stored(process.events, entry("two"));
    ASSERT_TRUE(soon([&] { return followed.size() == 2; }));

    use_store("early");
    ASSERT_TRUE(soon([&] { return followed.begun() == 2; }));
    stored(process.events, entry("other"));

    // Number 2 was given before, so it comes again.
    ASSERT_TRUE(soon([&] { return followed.size() == 5; }));
    EXPECT_EQ(followed.seqs, (std::vector<std::uint64_t>{1, 2, 1, 2, 3}));
    EXPECT_EQ(followed.entries.back().event->id(), "other");
}

TEST_F(NatsFollowTest, tells_of_another_stream_in_the_place_of_the_first) {
    Followed followed;
    NatsProcess process(server_.url(), quick_log());
    followed.follow(process.events, 10);
    stored(process.events, entry("one"));
    stored(process.events, entry("two"));
    ASSERT_TRUE(soon([&] { return followed.size() == 2; }));
    ASSERT_TRUE(soon([&] { return process.events.figures().last_seq == 2; }));

    JetStream(process.connection).delete_stream("fanfare", [](const JsResult<bool>&) {});
    ASSERT_TRUE(soon([&] { return process.events.figures().last_seq == 0; }));
    stored(process.events, entry("three"));

    ASSERT_TRUE(soon([&] { return followed.size() == 3; }));
    EXPECT_EQ(followed.seqs.back(), 1U);
    ASSERT_EQ(followed.starts.size(), 2U);
    EXPECT_NE(followed.starts[0].first, followed.starts[1].first);
}

TEST_F(NatsFollowTest, keeps_all_of_an_entry) {
    Followed followed;
    NatsProcess process(server_.url(), quick_log());
    followed.follow(process.events, 10);
    LogEntry made;
    const EventFields fields{.id = "id with \u00e4 % \r\n",
                             .action = "push it",
                             .target_media_type = "application/x",
                             .traceparent = "00-1-2-01",
                             .tracestate = "a=b"};
    made.event = Event::make("{\"bytes\": \"\u00fc\"}", fields, MediaType::cloudevents);
    made.accepted_at = WallTime(1'700'000'000'123'456us);
    made.source = EventSource::replay;
    made.endpoint = "the one";
    made.dedup_key = "key";

    stored(process.events, made);

    ASSERT_TRUE(soon([&] { return followed.size() == 1; }));
    const LogEntry& read = followed.entries[0];
    ASSERT_TRUE(read.event);
    EXPECT_EQ(read.event->id(), made.event->id());
    EXPECT_EQ(read.event->action(), made.event->action());
    EXPECT_EQ(read.event->target_media_type(), made.event->target_media_type());
    EXPECT_EQ(read.event->traceparent(), made.event->traceparent());
    EXPECT_EQ(read.event->tracestate(), made.event->tracestate());
    EXPECT_EQ(read.event->payload(), made.event->payload());
    EXPECT_EQ(read.event->type(), made.event->type());
    EXPECT_EQ(read.accepted_at, made.accepted_at);
    EXPECT_EQ(read.source, made.source);
    EXPECT_EQ(read.endpoint, made.endpoint);
    EXPECT_EQ(read.dedup_key, made.dedup_key);
}

}  // namespace
}  // namespace fanfare
