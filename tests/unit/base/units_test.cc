#include "base/units.h"

#include <gtest/gtest.h>

#include <random>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

Duration duration_of(std::string_view text) {
    const Result<Duration> result = parse_duration(text);
    EXPECT_TRUE(result.has_value()) << text;
    return result.has_value() ? *result : Duration::min();
}

std::string duration_problem(std::string_view text) {
    const Result<Duration> result = parse_duration(text);
    return result.has_value() ? "none" : result.error().message();
}

std::uint64_t size_of(std::string_view text) {
    const Result<std::uint64_t> result = parse_size(text);
    EXPECT_TRUE(result.has_value()) << text;
    return result.has_value() ? *result : 0;
}

std::string size_problem(std::string_view text) {
    const Result<std::uint64_t> result = parse_size(text);
    return result.has_value() ? "none" : result.error().message();
}

TEST(Units, reads_durations_as_go_does) {
    EXPECT_EQ(duration_of("500ms"), 500ms);
    EXPECT_EQ(duration_of("1m1.5s"), 61500ms);
    EXPECT_EQ(duration_of("2h"), 2h);
    EXPECT_EQ(duration_of("1h2m3s4ms5us6ns"), 1h + 2min + 3s + 4ms + 5us + 6ns);
    EXPECT_EQ(duration_of("7µs"), 7us);
    EXPECT_EQ(duration_of("-5s"), -5s);
    EXPECT_EQ(duration_of("+5s"), 5s);
    EXPECT_EQ(duration_of("0s"), 0s);
    EXPECT_EQ(duration_of(".5s"), 500ms);
    EXPECT_EQ(duration_of("1.s"), 1s);
    EXPECT_EQ(duration_of("0.3333333333333333333h"), 1199999999999ns);
    EXPECT_EQ(duration_of("9223372036854775807ns"), Duration::max());
}

TEST(Units, refuses_a_duration_without_a_unit_with_a_hint) {
    EXPECT_EQ(duration_problem("5"), R"("5" has no unit; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("1000000000"),
              R"("1000000000" has no unit; expected a duration, e.g. "1s")");
    EXPECT_EQ(duration_problem("0"), R"("0" has no unit; expected a duration, e.g. "0s")");
    EXPECT_EQ(duration_problem("1m5"), R"("1m5" has no unit; expected a duration, e.g. "1m5s")");
}

TEST(Units, says_what_is_wrong_with_a_duration) {
    EXPECT_EQ(duration_problem("fast"), R"("fast" is no duration; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem(""), R"("" is no duration; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("-"), R"("-" is no duration; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem(".s"), R"(".s" is no duration; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("1d"),
              R"("1d" has the unknown unit "d"; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("5 s"),
              R"("5 s" has the unknown unit " s"; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("3000000h"),
              R"("3000000h" is too long; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("99999999999999999999s"),
              R"("99999999999999999999s" is too long; expected a duration, e.g. "5s")");
    EXPECT_EQ(duration_problem("9223372036854775807ns1ns"),
              R"("9223372036854775807ns1ns" is too long; expected a duration, e.g. "5s")");
}

TEST(Units, ends_a_refusal_with_what_the_caller_expects) {
    const Result<Duration> result = parse_duration("5", "a duration from 1ms to 1h");

    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().message(),
              R"("5" has no unit; expected a duration from 1ms to 1h, e.g. "5s")");
}

TEST(Units, reads_sizes_plain_and_with_units) {
    EXPECT_EQ(size_of("0"), 0U);
    EXPECT_EQ(size_of("65536"), 65536U);
    EXPECT_EQ(size_of("12B"), 12U);
    EXPECT_EQ(size_of("64KiB"), 65536U);
    EXPECT_EQ(size_of("4MiB"), 4194304U);
    EXPECT_EQ(size_of("1GiB"), 1073741824U);
    EXPECT_EQ(size_of("2TiB"), 2199023255552U);
    EXPECT_EQ(size_of("1.5KiB"), 1536U);
    EXPECT_EQ(size_of("1MB"), 1000000U);
}

TEST(Units, says_what_is_wrong_with_a_size) {
    EXPECT_EQ(size_problem("big"), R"("big" is no size; expected a size, e.g. "64KiB")");
    EXPECT_EQ(size_problem(""), R"("" is no size; expected a size, e.g. "64KiB")");
    EXPECT_EQ(size_problem("-1"), R"("-1" is no size; expected a size, e.g. "64KiB")");
    EXPECT_EQ(size_problem("64kb"),
              R"("64kb" has the unknown unit "kb"; expected a size, e.g. "64KiB")");
    EXPECT_EQ(size_problem("1.5"),
              R"("1.5" is no whole number of bytes; expected a size, e.g. "64KiB")");
    EXPECT_EQ(size_problem("9999999999GiB"),
              R"("9999999999GiB" is too large; expected a size, e.g. "64KiB")");
}

TEST(Units, formats_durations_in_their_shortest_form) {
    EXPECT_EQ(format_duration(0s), "0s");
    EXPECT_EQ(format_duration(10s), "10s");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(90min), "1h30m");
    EXPECT_EQ(format_duration(61500ms), "1m1.5s");
    EXPECT_EQ(format_duration(-5s), "-5s");
    EXPECT_EQ(format_duration(7us), "7us");
    EXPECT_EQ(format_duration(1001ns), "1001ns");
}

TEST(Units, reads_back_every_duration_it_formats) {
    constexpr std::uint64_t seed = 20240607;
    RecordProperty("seed", std::to_string(seed));
    std::mt19937_64 random(seed);

    for (int i = 0; i < 20000; ++i) {
        const auto shift = static_cast<unsigned>(random() % 63);
        const Duration duration(static_cast<std::int64_t>(random() >> 1U) >> shift);
        ASSERT_EQ(duration_of(format_duration(duration)), duration) << "seed " << seed;
    }
}

TEST(Units, formats_sizes_with_the_largest_unit_that_divides_them) {
    EXPECT_EQ(format_size(0), "0");
    EXPECT_EQ(format_size(1000), "1000");
    EXPECT_EQ(format_size(1024), "1KiB");
    EXPECT_EQ(format_size(4194304), "4MiB");
    EXPECT_EQ(format_size(1073741824), "1GiB");
}

TEST(Units, quotes_text_for_one_line) {
    EXPECT_EQ(in_quotes("a\tb\x1b[31m"), "\"a?b?[31m\"");
    EXPECT_EQ(in_quotes("\xff"), "\"?\"");
    EXPECT_EQ(in_quotes("\xc2\x9b"), "\"?\"");
    EXPECT_EQ(in_quotes("größe"), "\"größe\"");
    EXPECT_EQ(in_quotes(std::string(100, 'x')), '"' + std::string(60, 'x') + "…\"");
}

}  // namespace
}  // namespace fanfare
