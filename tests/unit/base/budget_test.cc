#include "fanfare/budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fanfare {
namespace {

TEST(Budget, gives_no_more_than_it_has) {
    Budget budget(100);

    auto most = budget.try_reserve(60);
    EXPECT_TRUE(most);
    EXPECT_FALSE(budget.try_reserve(41));

    EXPECT_EQ(budget.bytes_used(), 60U);
}

TEST(Budget, takes_back_what_a_reservation_lets_go) {
    Budget budget(100);
    {
        const auto all = budget.try_reserve(100);
        EXPECT_EQ(budget.bytes_used(), 100U);
    }

    EXPECT_EQ(budget.bytes_used(), 0U);
}

// SPEC 12: at the bound it refuses, and takes again below nine tenths.
TEST(Budget, takes_again_only_below_nine_tenths_once_it_has_refused) {
    Budget budget(100);
    auto most = budget.try_reserve(90);
    auto rest = budget.try_reserve(10);
    EXPECT_FALSE(budget.try_reserve(1));

    rest.reset();
    EXPECT_FALSE(budget.try_reserve(1)) << "nine tenths are still in use";
    auto given_back = most->split(1);
    { const Reservation freed = std::move(given_back); }

    EXPECT_TRUE(budget.try_reserve(1));
}

TEST(Reservation, can_be_split_among_events) {
    Budget budget(100);
    auto whole = budget.try_reserve(30);

    {
        const Reservation part = whole->split(10);
        EXPECT_EQ(part.bytes(), 10U);
        EXPECT_EQ(whole->bytes(), 20U);
        EXPECT_EQ(budget.bytes_used(), 30U);
    }

    EXPECT_EQ(budget.bytes_used(), 20U);
}

TEST(Budget, is_exact_under_concurrent_use) {
    Budget budget(1000);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&budget] {
            for (int turn = 0; turn < 10000; ++turn) {
                auto reservation = budget.try_reserve(300);
                if (reservation) {
                    const Reservation half = reservation->split(150);
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    EXPECT_EQ(budget.bytes_used(), 0U);
}

}  // namespace
}  // namespace fanfare
