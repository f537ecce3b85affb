#include "store/seq_ranges.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace fanfare {
namespace {

using Model = std::set<std::uint64_t>;

SeqRanges ranges_of(std::initializer_list<SeqRange> runs) {
    SeqRanges result;
    for (const SeqRange& run : runs) result.add(run);
    return result;
}

void expect_same(const SeqRanges& ranges, const Model& model) {
    ASSERT_EQ(ranges.count(), model.size());
    Model all;
    std::uint64_t end = 0;
    for (const SeqRange& run : ranges) {
        ASSERT_LE(run.first, run.last);
        ASSERT_TRUE(all.empty() || end + 1 < run.first) << "two runs touch at " << run.first;
        end = run.last;
        for (std::uint64_t seq = run.first; seq <= run.last; ++seq) all.insert(seq);
    }
    ASSERT_EQ(all, model);
}

TEST(SeqRanges, keep_consecutive_seqs_as_one_run) {
    SeqRanges ranges;

    for (std::uint64_t seq = 1; seq <= 1000; ++seq) ranges.add(seq);

    EXPECT_EQ(ranges.run_count(), 1U);
    EXPECT_EQ(ranges.count(), 1000U);
    EXPECT_EQ(ranges.first(), 1U);
    EXPECT_EQ(ranges.last(), 1000U);
}

TEST(SeqRanges, join_runs_when_the_gap_is_filled) {
    SeqRanges ranges = ranges_of({{1, 3}, {5, 7}});

    ranges.add(4);

    EXPECT_EQ(ranges, ranges_of({{1, 7}}));
}

TEST(SeqRanges, split_a_run_when_its_middle_is_removed) {
    SeqRanges ranges = ranges_of({{1, 10}});

    ranges.remove(SeqRange{4, 6});

    EXPECT_EQ(ranges, ranges_of({{1, 3}, {7, 10}}));
}

TEST(SeqRanges, find_the_run_that_has_a_seq_or_the_next_one) {
    const SeqRanges ranges = ranges_of({{2, 4}, {8, 9}});

    EXPECT_EQ(ranges.find(1)->first, 2U);
    EXPECT_EQ(ranges.find(4)->first, 2U);
    EXPECT_EQ(ranges.find(5)->first, 8U);
    EXPECT_EQ(ranges.find(10), ranges.end());
}

TEST(SeqRanges, tell_what_is_common_and_what_is_not) {
    const SeqRanges ranges = ranges_of({{1, 10}, {20, 30}});

    EXPECT_EQ(ranges.common({5, 25}), ranges_of({{5, 10}, {20, 25}}));
    EXPECT_EQ(ranges.minus(ranges_of({{3, 4}, {9, 21}, {30, 40}})),
              ranges_of({{1, 2}, {5, 8}, {22, 29}}));
    EXPECT_EQ(ranges.minus(ranges), SeqRanges());
}

/// Draws changes, the same for the set and for its model.
class Changing {
  public:
    explicit Changing(unsigned seed) : random_(seed) {}

    void step() {
        const SeqRange range = draw();
        const bool is_add = random_() % 2 == 0;
        if (is_add) {
            ranges.add(range, &touched);
        } else {
            ranges.remove(range, &touched);
        }
        for (std::uint64_t seq = range.first; seq <= range.last; ++seq) {
            if (is_add) {
                model.insert(seq);
            } else {
                model.erase(seq);
            }
        }
    }

    SeqRange draw() {
        const std::uint64_t first = 1 + random_() % 200;
        return {first, first + random_() % 12};
    }

    SeqRanges ranges;
    SeqRanges::Touched touched;
    Model model;

  private:
    std::mt19937 random_;
};

TEST(SeqRanges, are_a_set) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Changing changing(seed);
    Changing other(seed + 1);
    for (int i = 0; i < 3000 && !testing::Test::HasFatalFailure(); ++i) {
        changing.step();
        other.step();
        const std::uint64_t seq = changing.draw().first;

        expect_same(changing.ranges, changing.model);
        EXPECT_EQ(changing.ranges.contains(seq), changing.model.contains(seq));
        Model rest = changing.model;
        for (const std::uint64_t gone : other.model) rest.erase(gone);
        expect_same(changing.ranges.minus(other.ranges), rest);
        Model all = changing.model;
        all.insert(other.model.begin(), other.model.end());
        SeqRanges both = changing.ranges;
        both.add(other.ranges);
        expect_same(both, all);
    }
}

TEST(SeqRanges, tell_which_runs_a_table_must_write) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Changing changing(seed);
    std::map<std::uint64_t, std::uint64_t> table;
    for (int i = 0; i < 3000; ++i) {
        changing.step();

        for (const std::uint64_t first : std::exchange(changing.touched, {})) {
            const auto run = changing.ranges.find(first);
            if (run != changing.ranges.end() && run->first == first) {
                table[first] = run->last;
            } else {
                table.erase(first);
            }
        }
        ASSERT_EQ(table.size(), changing.ranges.run_count());
        for (const SeqRange& run : changing.ranges) ASSERT_EQ(table.at(run.first), run.last);
    }
}

TEST(SeqRanges, are_quick_at_both_ends_with_many_runs) {
    SeqRanges ranges;
    for (std::uint64_t i = 1; i <= 500'000; ++i) ranges.add(2 * i);
    for (std::uint64_t i = 1; i <= 500'000; ++i) {
        ranges.remove(2 * i);
        ranges.add(2 * (500'000 + i));
    }

    EXPECT_EQ(ranges.run_count(), 500'000U);
    EXPECT_EQ(ranges.first(), 1'000'002U);
}

}  // namespace
}  // namespace fanfare
