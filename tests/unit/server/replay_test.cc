#include "server/admin/replay.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "fanfare/log.h"
#include "store/dead_letters.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

/// A store with letters, and endpoints that note what is queued for them.
class ReplayOfLetters : public testing::Test {
  protected:
    ReplayOfLetters() {
        DeadLetterStore::Options options;
        options.dir = directory_.path();
        options.bytes_max = std::uint64_t{1} << 30;
        store_ = std::move(*DeadLetterStore::open(std::move(options), clock_, log_));
    }

    void put(const std::string& id, const std::string& endpoint = "audit",
             std::size_t payload_bytes = 2) {
        EventFields fields;
        fields.id = id;
        fields.action = "push";
        fields.traceparent = "trace";
        DeadLetter letter;
        letter.endpoint = endpoint;
        letter.event =
            Event::make("{}" + std::string(payload_bytes - 2, ' '), fields, MediaType::registry_v1);
        store_->put(std::move(letter));
    }

    template <class T>
    T wait(awaitable<T> task) {
        net::io_context context(1);
        auto result = net::co_spawn(context, std::move(task), net::use_future);
        context.run();
        return result.get();
    }

    ReplayResult replay(LetterRange range = {}, Budget* budget = nullptr) {
        wait(store_->flush(10s));
        if (range.letters_max == 100) range.letters_max = 1'000'000;
        Replay replay(*store_, budget, [this](const std::string& endpoint, Replay::Events events) {
            return queue(endpoint, events);
        });
        const Result<ReplayResult> result = wait(replay.run(std::move(range)));
        EXPECT_TRUE(result.has_value());
        return *result;
    }

    Requeued queue(const std::string& endpoint, const Replay::Events& events) {
        if (endpoint == "gone") return Requeued::no_endpoint;
        if (endpoint == "closed") return Requeued::shut_down;
        steps_max_ = std::max(steps_max_, events.size());
        for (const Replayed& replayed : events) {
            queued_.push_back(endpoint + '/' + std::string(replayed.event->id()));
            events_.push_back(replayed.event);
            letters_.push_back(replayed.letter);
        }
        return Requeued::done;
    }

    /// As an endpoint that has delivered all that was queued.
    void deliver() {
        store_->discard(letters_);
        letters_.clear();
        wait(store_->flush(10s));
    }

    std::uint64_t kept() const { return store_->counts().kept.letters; }

    test::TmpDir directory_;
    Budget budget_{1000};  // outlives the events that hold a part of it
    SteadyClock clock_;
    Log log_{LogOptions{}, [](std::string_view) {}};
    std::unique_ptr<DeadLetterStore> store_;
    std::vector<std::string> queued_;
    std::vector<EventPtr> events_;
    std::vector<std::int64_t> letters_;
    std::size_t steps_max_ = 0;
};

using Strings = std::vector<std::string>;

TEST_F(ReplayOfLetters, queues_events_as_they_were) {
    put("e1");

    const ReplayResult result = replay();

    EXPECT_EQ(result.replayed, 1U);
    EXPECT_TRUE(result.is_at_end);
    ASSERT_EQ(queued_, Strings{"audit/e1"});
    EXPECT_EQ(events_[0]->payload(), "{}");
    EXPECT_EQ(events_[0]->action(), "push");
    EXPECT_EQ(events_[0]->traceparent(), "trace");
    EXPECT_EQ(events_[0]->type(), MediaType::registry_v1);
}

TEST_F(ReplayOfLetters, takes_a_letter_away_once_its_event_has_come_to_an_end) {
    put("e1");
    replay();
    EXPECT_EQ(kept(), 1U);
    EXPECT_EQ(store_->counts().replayed, 0U);

    deliver();

    EXPECT_EQ(kept(), 0U);
    EXPECT_EQ(store_->counts().replayed, 1U);
}

TEST_F(ReplayOfLetters, neither_replays_nor_purges_what_is_queued_already) {
    put("e1");
    replay();
    put("e2");

    EXPECT_EQ(replay().replayed, 1U);
    EXPECT_EQ(queued_, (Strings{"audit/e1", "audit/e2"}));
    put("e3");
    wait(store_->flush(10s));
    EXPECT_EQ(*wait(store_->purge({})), 1U);

    store_->keep(letters_);
    EXPECT_EQ(replay().replayed, 2U);
}

TEST_F(ReplayOfLetters, leaves_letters_whose_endpoint_is_not_there) {
    put("e1", "gone");
    put("e2");
    put("e3", "gone");

    const ReplayResult result = replay();

    EXPECT_EQ(result.replayed, 1U);
    EXPECT_EQ(result.not_replayed, 2U);
    EXPECT_EQ(queued_, Strings{"audit/e2"});
    deliver();
    EXPECT_EQ(kept(), 2U);
}

TEST_F(ReplayOfLetters, ends_once_nothing_is_queued_any_more) {
    put("e1");
    put("e2", "closed");
    put("e3", "gone");

    const ReplayResult result = replay();

    EXPECT_TRUE(result.is_shut_down);
    EXPECT_EQ(result.replayed, 1U);
    EXPECT_EQ(result.not_replayed, 0U);
    deliver();
    EXPECT_EQ(kept(), 2U);
    EXPECT_TRUE(store_->begin_replay(2));
}

TEST_F(ReplayOfLetters, keeps_each_endpoint_s_order_in_small_steps) {
    Strings expected;
    for (int i = 0; i < 2000; ++i) {
        put(std::to_string(i), i % 2 == 0 ? "even" : "odd");
        if (i % 2 == 0) expected.push_back("even/" + std::to_string(i));
    }

    EXPECT_EQ(replay().replayed, 2000U);

    std::erase_if(queued_, [](const std::string& text) { return text.starts_with("odd"); });
    EXPECT_EQ(queued_, expected);
    EXPECT_LE(steps_max_, Replay::step_letters_max);
}

TEST_F(ReplayOfLetters, goes_on_behind_the_last_letter_it_looked_at) {
    for (int i = 1; i <= 5; ++i) put(std::to_string(i));
    LetterRange range;
    range.letters_max = 2;

    const ReplayResult first = replay(range);
    range.after = first.last_id;
    range.until = 4;
    const ReplayResult second = replay(range);

    EXPECT_EQ(first.replayed, 2U);
    EXPECT_FALSE(first.is_at_end);
    EXPECT_EQ(first.last_id, 2);
    EXPECT_EQ(second.replayed, 2U);
    deliver();
    EXPECT_EQ(kept(), 1U);
}

TEST_F(ReplayOfLetters, ends_before_it_takes_the_room_of_new_events) {
    for (int i = 0; i < 10; ++i) put(std::to_string(i), "audit", 150);

    const ReplayResult result = replay({}, &budget_);

    EXPECT_TRUE(result.is_out_of_room);
    EXPECT_FALSE(result.is_at_end);
    EXPECT_EQ(result.replayed, 5U);
    EXPECT_EQ(budget_.bytes_used(), 750U);
    EXPECT_TRUE(budget_.try_reserve(150).has_value());
    EXPECT_TRUE(store_->begin_replay(6)) << "it is left as it was";
    deliver();
    EXPECT_EQ(kept(), 5U);
}

}  // namespace
}  // namespace fanfare
