// The board on a real NATS server.
#include "nats/nats_board.h"

#include <atomic>
#include <map>

#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::soon;

/// What a board has told.
class Seen {
  public:
    Board::OnChange taker() {
        return [this](const Board::Change& change) {
            const std::lock_guard lock(mutex_);
            times_[std::string(change.key)] = change.at;
            if (change.text) {
                texts_[std::string(change.key)] = *change.text;
            } else {
                texts_.erase(std::string(change.key));
            }
        };
    }
    std::string at(const std::string& key) const {
        const std::lock_guard lock(mutex_);
        const auto found = texts_.find(key);
        return found == texts_.end() ? "-" : found->second;
    }

    WallTime time_of(const std::string& key) const {
        const std::lock_guard lock(mutex_);
        const auto found = times_.find(key);
        return found == times_.end() ? WallTime() : found->second;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return texts_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> texts_;
    std::map<std::string, WallTime> times_;
};

struct BoardProcess {
    explicit BoardProcess(const std::string& url)
        : connection(clock, log, test::NatsProcess::connection_options(url)),
          board(connection, NatsBoardOptions{}) {
        connection.start();
        board.watch(seen.taker(), [this] {
            if (!is_read) read_at_once = seen.size();
            is_read = true;
            ++reads;
        });
    }

    /// Puts until it is seen: what is put without a connection is lost.
    bool put(const std::string& key, const std::string& text) {
        return soon([&] {
            board.put(key, text);
            return soon([&] { return seen.at(key) == text; }, 200ms);
        });
    }

    Seen seen;
    std::atomic<bool> is_read = false;
    std::size_t read_at_once = 0;  // before that
    std::atomic<unsigned> reads = 0;
    SteadyClock clock;
    Log log{LogOptions{.level = LogLevel::error, .format = LogFormat::text}};
    NatsConnection connection;
    NatsBoard board;
};

class NatsBoardTest : public test::WithNatsServer {};

TEST_F(NatsBoardTest, tells_everybody_of_a_change) {
    BoardProcess one(server_.url());
    BoardProcess two(server_.url());

    ASSERT_TRUE(one.put("pause.audit", "since noon"));
    EXPECT_TRUE(soon([&] { return two.seen.at("pause.audit") == "since noon"; }));

    two.board.erase("pause.audit");
    EXPECT_TRUE(soon([&] { return one.seen.at("pause.audit") == "-"; }));
}

TEST_F(NatsBoardTest, tells_who_comes_later_what_is_there) {
    BoardProcess one(server_.url());
    ASSERT_TRUE(one.put("kept", "old"));
    ASSERT_TRUE(one.put("kept", "new"));
    ASSERT_TRUE(one.put("gone", "x"));
    one.board.erase("gone");
    ASSERT_TRUE(soon([&] { return one.seen.at("gone") == "-"; }));

    BoardProcess two(server_.url());

    EXPECT_TRUE(soon([&] { return two.seen.at("kept") == "new"; }));
    EXPECT_EQ(two.seen.at("gone"), "-");
}

TEST_F(NatsBoardTest, says_that_all_was_told) {
    BoardProcess one(server_.url());
    ASSERT_TRUE(soon([&] { return one.is_read.load(); }));
    EXPECT_EQ(one.read_at_once, 0U);
    for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(one.put(key, "1"));

    BoardProcess two(server_.url());
    ASSERT_TRUE(soon([&] { return two.is_read.load(); }));
    EXPECT_EQ(two.read_at_once, 3U);
    two.is_read = false;
    ASSERT_TRUE(two.put("d", "1"));
    EXPECT_FALSE(two.is_read);
}

TEST_F(NatsBoardTest, says_again_that_all_was_told_after_it_could_not_be_heard) {
    BoardProcess one(server_.url());
    ASSERT_TRUE(soon([&] { return one.reads == 1; }));
    server_.kill();
    ASSERT_TRUE(soon([&] { return !one.connection.is_connected(); }));
    EXPECT_EQ(one.reads, 1U);

    server_.start();

    EXPECT_TRUE(soon([&] { return one.reads > 1; }));
}

TEST_F(NatsBoardTest, tells_when_something_was_put_also_to_who_comes_later) {
    BoardProcess one(server_.url());
    const WallTime before = one.clock.wall();
    ASSERT_TRUE(one.put("a", "1"));
    const WallTime told = one.seen.time_of("a");
    EXPECT_GE(told, before);
    EXPECT_LE(told, one.clock.wall());

    BoardProcess two(server_.url());
    ASSERT_TRUE(soon([&] { return two.is_read.load(); }));

    EXPECT_GE(two.seen.time_of("a"), told) << "it may have been put more than once";
    EXPECT_LE(two.seen.time_of("a"), two.clock.wall());
}

TEST_F(NatsBoardTest, tells_of_what_has_changed_while_there_was_no_connection) {
    BoardProcess one(server_.url());
    ASSERT_TRUE(one.put("a", "1"));

    server_.kill();
    ASSERT_TRUE(soon([&] { return !one.connection.is_connected(); }));
    server_.start();
    BoardProcess two(server_.url());
    ASSERT_TRUE(two.put("b", "2"));

    EXPECT_EQ(two.seen.at("a"), "1");
    EXPECT_TRUE(soon([&] { return one.seen.at("b") == "2"; }));
}

TEST_F(NatsBoardTest, tells_that_all_is_gone_with_the_bucket) {
    BoardProcess one(server_.url());
    ASSERT_TRUE(one.put("a", "1"));

    std::promise<bool> deleted;
    JetStream(one.connection).delete_stream("KV_fanfare_board", [&](const JsResult<bool>& done) {
        deleted.set_value(done.has_value());
    });
    ASSERT_TRUE(deleted.get_future().get());
    server_.kill();  // on the next connection the bucket is made again
    server_.start();

    EXPECT_TRUE(soon([&] { return one.seen.at("a") == "-"; }));
    EXPECT_TRUE(one.put("a", "2"));
}

}  // namespace
}  // namespace fanfare
