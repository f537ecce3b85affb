#include "event/id_generator.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "fanfare/event.h"
#include "support/manual_clock.h"

namespace fanfare {
namespace {

using test::ManualClock;

std::uint64_t all_ones() { return ~std::uint64_t{0}; }
std::uint64_t zero() { return 0; }

TEST(IdGenerator, writes_time_and_randomness) {
    ManualClock clock;
    clock.step_wall(std::chrono::milliseconds(5));
    IdGenerator ids(clock, all_ones);

    const std::string id = ids.next();

    EXPECT_EQ(id.size(), 30U);
    EXPECT_EQ(id.substr(14), "FZZZZZZZZZZZZZZZ");
    EXPECT_EQ(id.substr(0, 4), "evt_");
}

TEST(IdGenerator, writes_the_time_as_a_ulid_does) {
    ManualClock clock;
    // The example of the ULID specification: 1469918176385 ms are 01ARYZ6S41.
    const WallTime wanted{std::chrono::milliseconds(1469918176385)};
    clock.step_wall(wanted - clock.wall());
    IdGenerator ids(clock, zero);

    EXPECT_EQ(ids.next(), "evt_01ARYZ6S410000000000000000");
}

TEST(IdGenerator, makes_ids_that_can_stand_in_a_header) {
    const ManualClock clock;
    IdGenerator ids(clock);

    const std::string id = ids.next();

    EXPECT_EQ(header_id(id), id);
}

TEST(IdGenerator, counts_up_within_one_millisecond) {
    const ManualClock clock;
    IdGenerator ids(clock);

    std::string last = ids.next();
    for (int i = 0; i < 10000; ++i) {
        std::string id = ids.next();
        ASSERT_LT(last, id);
        last = std::move(id);
    }
}

TEST(IdGenerator, carries_into_the_upper_digits) {
    const ManualClock clock;
    IdGenerator ids(clock, all_ones);

    const std::string first = ids.next();
    const std::string second = ids.next();

    EXPECT_EQ(first.substr(14), "FZZZZZZZZZZZZZZZ");
    EXPECT_EQ(second.substr(14), "G000000000000000");
}

TEST(IdGenerator, stays_in_order_when_the_clock_is_set_back) {
    ManualClock clock;
    IdGenerator ids(clock);
    const std::string first = ids.next();

    clock.step_wall(-std::chrono::hours(1));

    EXPECT_LT(first, ids.next());
}

TEST(IdGenerator, follows_the_clock) {
    ManualClock clock;
    IdGenerator ids(clock, all_ones);
    const std::string first = ids.next();

    clock.step_wall(std::chrono::milliseconds(1));

    EXPECT_LT(first, ids.next());
}

TEST(IdGenerator, gives_no_id_twice_to_several_threads) {
    const ManualClock clock;
    IdGenerator ids(clock);
    std::vector<std::vector<std::string>> made(4);
    std::vector<std::thread> threads;
    for (std::vector<std::string>& mine : made) {
        threads.emplace_back([&ids, &mine] {
            for (int i = 0; i < 500; ++i) mine.push_back(ids.next());
        });
    }
    for (std::thread& thread : threads) thread.join();

    std::set<std::string> all;
    for (const auto& mine : made) all.insert(mine.begin(), mine.end());

    EXPECT_EQ(all.size(), 2000U);
}

}  // namespace
}  // namespace fanfare
