#include "shared_support.h"

namespace fanfare::test {
namespace {

/// Two processes with a history each.
class HistoryFeeds : public SharedTest {
  protected:
    struct Reader {
        Reader(SharedPipeline& process, Clock& clock, std::size_t capacity)
            : history(clock, options(capacity)),
              feed(history, process.log, [this](const std::string& id) { logs.push_back(id); }) {
            feed.start(process.link);
        }
        static HistoryOptions options(std::size_t capacity) {
            HistoryOptions options;
            options.capacity = capacity;
            return options;
        }

        std::vector<std::uint64_t> seqs() const {
            std::vector<std::uint64_t> seqs;
            for (const HistoryRecord& record : history.read(0, 1000, SIZE_MAX).records) {
                seqs.push_back(record.seq);
            }
            return seqs;
        }

        Strings logs;
        History history;
        HistoryFeed feed;
    };

    Reader& read(std::size_t capacity = 100) {
        readers_.push_back(std::make_unique<Reader>(first(), world_.clock, capacity));
        poll();
        return *readers_.back();
    }
    void TearDown() override { first().link.cut_off(); }

    std::vector<std::unique_ptr<Reader>> readers_;
};

using Seqs = std::vector<std::uint64_t>;

TEST_F(HistoryFeeds, seqs_and_times_are_the_same_in_all_processes) {
    Reader& before = read();
    first().store_many(5);
    advance(3s);
    first().broadcaster.write_meta(make_event("m", "m", MediaType::meta));
    poll();
    Reader& after = read();

    EXPECT_EQ(before.seqs(), (Seqs{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(after.seqs(), before.seqs());
    const auto first_records = before.history.read(1, 10, SIZE_MAX).records;
    const auto records = after.history.read(1, 10, SIZE_MAX).records;
    for (std::size_t i = 0; i < records.size(); ++i) {
        EXPECT_EQ(records[i].received, first_records[i].received);
    }
    EXPECT_EQ(records.back().source, EventSource::meta);
    EXPECT_EQ(after.logs, Strings{"log-1"});
}

TEST_F(HistoryFeeds, history_begins_with_what_it_can_hold_and_says_so) {
    first().store_many(50);
    poll();
    Reader& reader = read(10);

    EXPECT_EQ(reader.history.range().lowest, 41U);
    EXPECT_EQ(reader.history.range().next, 51U);
    EXPECT_EQ(reader.seqs().size(), 10U);
}

TEST_F(HistoryFeeds, history_of_an_empty_log_begins_where_that_goes_on) {
    world_.log.last_seq = 1000;
    Reader& reader = read();
    EXPECT_EQ(reader.history.range().lowest, 1001U);
    EXPECT_EQ(reader.history.range().next, 1001U);

    first().store("a");
    poll();
    EXPECT_EQ(reader.seqs(), Seqs{1001});
}

TEST_F(HistoryFeeds, gap_is_not_papered_over) {
    Reader& reader = read();
    first().store_many(3);
    poll();
    world_.log.last_seq = 10;
    first().store("after");
    poll();

    EXPECT_EQ(reader.history.range().lowest, 11U);
    EXPECT_EQ(reader.seqs(), Seqs{11});
    EXPECT_EQ(reader.history.counts().evicted_by_restart, 3U);
}

TEST_F(HistoryFeeds, damaged_entry_has_a_number_and_no_record) {
    first().store_many(3);
    poll();
    world_.log.entries.at(2).is_damaged = true;
    Reader& reader = read();

    EXPECT_EQ(reader.seqs(), (Seqs{1, 3}));
    EXPECT_EQ(reader.history.range().lowest, 1U);
}

TEST_F(HistoryFeeds, another_log_begins_anew_and_wakes_who_waits) {
    Reader& reader = read();
    first().store_many(5);
    poll();
    unsigned woken = 0;
    History::Watch watch(reader.history, world_.context.get_executor(), [&] { ++woken; });
    watch.arm(6);

    world_.log.replace("log-2");
    poll();
    EXPECT_EQ(woken, 1U);
    EXPECT_EQ(reader.history.range().next, 1U);
    EXPECT_EQ(reader.logs, (Strings{"log-1", "log-2"}));
    first().store("new");
    poll();

    EXPECT_EQ(reader.seqs(), Seqs{1});
}

}  // namespace
}  // namespace fanfare::test
