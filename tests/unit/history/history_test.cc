#include "fanfare/history.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <limits>
#include <random>

#include "support/manual_clock.h"

namespace fanfare::test {
namespace {

using Seqs = std::vector<std::uint64_t>;

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

class Histories : public testing::Test {
  protected:
    static HistoryOptions keeping(std::size_t capacity) {
        HistoryOptions options;
        options.capacity = capacity;
        return options;
    }

    static std::shared_ptr<Event> make_event(const std::string& payload) {
        EventFields fields;
        fields.id = "an-id";
        fields.action = "push";
        return Event::make(payload, fields);
    }

    void make(HistoryOptions options) { history_ = std::make_unique<History>(clock_, options); }

    void add(std::size_t count, const std::string& payload = "{}") {
        const std::vector<std::shared_ptr<Event>> events(count, make_event(payload));
        history_->add(history_->copy(events), next_, EventSource::http);
        next_ += count;
    }

    static Seqs seqs_of(const HistorySlice& slice) {
        Seqs seqs;
        for (const HistoryRecord& record : slice.records) seqs.push_back(record.seq);
        return seqs;
    }

    Seqs read(std::uint64_t first, std::size_t count = no_limit) const {
        return seqs_of(history_->read(first, count, no_limit));
    }

    Seqs tail(std::uint64_t count) const { return seqs_of(history_->tail(count, no_limit)); }

    static Seqs from_to(std::uint64_t first, std::uint64_t last) {
        Seqs seqs;
        for (std::uint64_t seq = first; seq <= last; ++seq) seqs.push_back(seq);
        return seqs;
    }

    ManualClock clock_;
    std::uint64_t next_ = 1;
    std::unique_ptr<History> history_;
};

// H1.
TEST_F(Histories, begin_empty) {
    make(keeping(20));

    EXPECT_EQ(history_->range().lowest, 1U);
    EXPECT_EQ(history_->range().next, 1U);
    EXPECT_EQ(read(1), Seqs());
}

// H2, H3.
TEST_F(Histories, give_what_is_asked_for) {
    make(keeping(20));
    add(10);

    EXPECT_EQ(read(6), from_to(6, 10));
    EXPECT_EQ(read(6, 3), from_to(6, 8));
}

// H4, H5: a ring that has wrapped gives no more than it is asked for, and without a gap.
TEST_F(Histories, give_what_is_asked_for_once_the_oldest_have_gone) {
    make(keeping(20));
    add(25);

    EXPECT_EQ(history_->range().lowest, 6U);
    EXPECT_EQ(history_->range().next, 26U);
    EXPECT_EQ(read(9, 3), from_to(9, 11));
    EXPECT_EQ(read(6, 1), Seqs{6});
    EXPECT_EQ(read(19, 1), Seqs{19});
    EXPECT_EQ(read(19, 2), from_to(19, 20));
    EXPECT_EQ(read(19, 5), from_to(19, 23));
}

// H6.
TEST_F(Histories, give_all_there_is_where_more_is_asked_for) {
    make(keeping(10));
    add(13);

    for (const std::uint64_t count : {std::uint64_t{10}, std::uint64_t{11}, std::uint64_t{15},
                                      std::numeric_limits<std::uint64_t>::max()}) {
        EXPECT_EQ(tail(count), from_to(4, 13)) << count;
    }
}

TEST_F(Histories, give_of_the_last_ones_the_newest_that_fit) {
    make(keeping(10));
    add(5, std::string(10, ' '));

    EXPECT_EQ(seqs_of(history_->tail(3, 30)), from_to(3, 5));
    EXPECT_FALSE(history_->tail(3, 30).is_cut);
    EXPECT_EQ(seqs_of(history_->tail(4, 30)), from_to(3, 5));
    EXPECT_TRUE(history_->tail(4, 30).is_cut);
    EXPECT_EQ(seqs_of(history_->tail(4, 1)), Seqs{5});
    EXPECT_EQ(seqs_of(history_->tail(0, 30)), Seqs());
}

// H8.
TEST_F(Histories, give_all_when_they_are_exactly_full) {
    make(keeping(10));
    add(10);

    EXPECT_EQ(read(1, 3), from_to(1, 3));
    EXPECT_EQ(read(1), from_to(1, 10));
}

// H10.
TEST_F(Histories, keep_the_newest_when_they_are_resized) {
    make(keeping(10));
    add(10);

    history_->resize(keeping(6));
    EXPECT_EQ(read(1), from_to(5, 10));
    history_->resize(keeping(20));
    EXPECT_EQ(history_->range().lowest, 5U);
    add(5);
    EXPECT_EQ(read(1), from_to(5, 15));
    history_->resize(keeping(2));
    EXPECT_EQ(history_->range().lowest, 14U);
    history_->resize(keeping(20));
    EXPECT_EQ(read(1), from_to(14, 15));
    EXPECT_EQ(history_->counts().evicted_by_resize, 13U);
}

// H9: against a plain list.
TEST_F(Histories, do_what_a_list_does) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto draw = [&](std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below)(random);
    };

    for (int round = 0; round < 300; ++round) {
        next_ = 1;
        std::size_t capacity = 1 + draw(49);
        make(keeping(capacity));
        std::deque<std::uint64_t> model;
        for (std::size_t i = 0; i < 20; ++i) {
            if (draw(9) == 0) {
                capacity = 1 + draw(49);
                history_->resize(keeping(capacity));
            }
            const std::size_t count = draw(20);
            for (std::size_t j = 0; j < count; ++j) model.push_back(next_ + j);
            if (count > 0) add(count);
            while (model.size() > capacity) model.pop_front();

            const std::uint64_t first = draw(next_ + 3);
            const std::size_t most = draw(25);
            Seqs expected;
            for (const std::uint64_t seq : model) {
                if (seq >= first && expected.size() < most) expected.push_back(seq);
            }
            ASSERT_EQ(read(first, most), expected);
            const Seqs all(model.begin(), model.end());
            const std::size_t kept = std::min(most, all.size());
            ASSERT_EQ(tail(most), Seqs(all.end() - static_cast<std::ptrdiff_t>(kept), all.end()));
            ASSERT_EQ(history_->range().next, next_);
            ASSERT_EQ(history_->range().lowest, all.empty() ? next_ : all.front());
        }
    }
}

TEST_F(Histories, are_bounded_by_bytes) {
    HistoryOptions options = keeping(100);
    options.bytes_max = 10;
    make(options);

    for (int i = 0; i < 5; ++i) add(1, "{  }");

    EXPECT_EQ(read(1), from_to(4, 5));
    EXPECT_EQ(history_->counts().bytes, 8U);
    EXPECT_EQ(history_->counts().evicted_by_bytes, 3U);
}

// H14.
TEST_F(Histories, keep_a_stub_of_an_event_that_is_too_large) {
    HistoryOptions options;
    options.event_bytes_max = 100;
    make(options);

    add(1, R"({"text":")" + std::string(200, 'x') + R"("})");

    const HistorySlice slice = history_->read(1, 1, no_limit);
    ASSERT_EQ(slice.records.size(), 1U);
    EXPECT_EQ(slice.records[0].event->payload(),
              R"({"truncated":true,"size":211,"id":"an-id","action":"push"})");
    EXPECT_EQ(history_->counts().truncated, 1U);
}

TEST_F(Histories, keep_events_in_one_line) {
    make({});

    add(1, "{\r\n \"a\": 1\n}");

    EXPECT_EQ(history_->read(1, 1, no_limit).records.at(0).event->payload(), "{   \"a\": 1 }");
}

TEST_F(Histories, keep_nothing_without_a_capacity_but_go_on_counting) {
    make(keeping(0));
    add(5);

    EXPECT_EQ(history_->range().lowest, 6U);
    EXPECT_EQ(history_->range().next, 6U);
    history_->resize(keeping(10));
    add(2);
    EXPECT_EQ(read(1), from_to(6, 7));
    EXPECT_EQ(history_->range().lowest, 6U);
}

TEST_F(Histories, do_not_take_numbers_for_lost_that_no_event_got) {
    make({});
    add(2);
    next_ = 10;
    add(1);

    EXPECT_EQ(read(1), (Seqs{1, 2, 10}));
    EXPECT_EQ(read(3), Seqs{10});
    EXPECT_EQ(history_->range().lowest, 1U);
}

TEST_F(Histories, tell_who_waits_once) {
    net::io_context context{1};
    make({});
    int told = 0;
    History::Watch watch(*history_, context.get_executor(), [&] { ++told; });
    add(1);
    ManualClock::poll(context);
    EXPECT_EQ(told, 0);

    watch.arm(2);
    ManualClock::poll(context);
    EXPECT_EQ(told, 0);
    add(1);
    add(1);
    ManualClock::poll(context);
    EXPECT_EQ(told, 1);

    watch.arm(3);
    ManualClock::poll(context);
    EXPECT_EQ(told, 2);
}

TEST_F(Histories, do_not_tell_who_has_gone) {
    net::io_context context{1};
    make({});
    int told = 0;
    {
        History::Watch watch(*history_, context.get_executor(), [&] { ++told; });
        watch.arm(1);
        add(1);
    }

    ManualClock::poll(context);

    EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace fanfare::test
