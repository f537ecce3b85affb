#include "fanfare/filter.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace fanfare {
namespace {

using Op = MatchRule::Op;

std::shared_ptr<Event> make_event(const std::string& payload, const std::string& action = "",
                                  const std::string& media_type = "") {
    EventFields fields;
    fields.id = "1";
    fields.action = action;
    fields.target_media_type = media_type;
    return Event::make(payload, fields);
}

MatchRule rule(std::string field, Op op, std::vector<std::string> values = {}) {
    MatchRule rule;
    rule.field = std::move(field);
    rule.op = op;
    rule.values = std::move(values);
    return rule;
}

bool matches(const std::string& payload, std::vector<MatchRule> rules) {
    return MatchFilter(std::move(rules)).wants(*make_event(payload));
}

constexpr const char* blob = "application/octet-stream";
constexpr const char* manifest = "application/vnd.docker.distribution.manifest.v2+json";

struct IgnoreCase {
    std::vector<std::string> media_types;
    std::vector<std::string> actions;
    const char* media_type;
    const char* action;
    bool wants;
};
class IgnoreFilterTable : public testing::TestWithParam<IgnoreCase> {};

TEST_P(IgnoreFilterTable, drops_what_is_listed_by_media_type_or_by_action) {
    const IgnoreFilter filter(GetParam().media_types, GetParam().actions);

    const auto event = make_event("{}", GetParam().action, GetParam().media_type);

    EXPECT_EQ(filter.wants(*event), GetParam().wants);
}

// Acceptance 16: the rows of distribution's TestIgnoredSink, version 3: eight for a blob that is
// pushed, nine for a manifest that is pulled.
INSTANTIATE_TEST_SUITE_P(BlobPush, IgnoreFilterTable,
                         testing::Values(IgnoreCase{{}, {}, blob, "push", true},
                                         IgnoreCase{{manifest}, {}, blob, "push", true},
                                         IgnoreCase{{blob}, {}, blob, "push", false},
                                         IgnoreCase{{blob, manifest}, {}, blob, "push", false},
                                         IgnoreCase{{}, {"push"}, blob, "push", false},
                                         IgnoreCase{{}, {"pull"}, blob, "push", true},
                                         IgnoreCase{{manifest}, {"push"}, blob, "push", false},
                                         IgnoreCase{{manifest}, {"pull"}, blob, "push", true}));

INSTANTIATE_TEST_SUITE_P(ManifestPull, IgnoreFilterTable,
                         testing::Values(IgnoreCase{{}, {}, manifest, "pull", true},
                                         IgnoreCase{{manifest}, {}, manifest, "pull", false},
                                         IgnoreCase{{blob}, {}, manifest, "pull", true},
                                         IgnoreCase{{blob, manifest}, {}, manifest, "pull", false},
                                         IgnoreCase{{}, {"push"}, manifest, "pull", true},
                                         IgnoreCase{{}, {"pull"}, manifest, "pull", false},
                                         IgnoreCase{{}, {"push", "pull"}, manifest, "pull", false},
                                         IgnoreCase{{manifest}, {"push"}, manifest, "pull", false},
                                         IgnoreCase{{blob}, {"pull"}, manifest, "pull", false}));

TEST(IgnoreFilter, compares_exactly) {
    const IgnoreFilter filter({"application/json"}, {"PULL", ""});

    EXPECT_TRUE(filter.wants(*make_event("{}", "pull", "application/json; charset=utf-8")));
    EXPECT_TRUE(filter.wants(*make_event("{}", "pull", "Application/JSON")));
}

TEST(IgnoreFilter, keeps_events_without_media_type_and_action) {
    const IgnoreFilter filter({blob}, {"push"});

    EXPECT_TRUE(filter.wants(*make_event("{}")));
}

constexpr const char* push =
    R"({"action":"push","target":{"repository":"library/app","tag":"v1.2","size":122,"x":null},"ok":true})";

struct MatchCase {
    MatchRule rule;
    bool wants;
};
class MatchFilterTable : public testing::TestWithParam<MatchCase> {};

TEST_P(MatchFilterTable, decides) { EXPECT_EQ(matches(push, {GetParam().rule}), GetParam().wants); }

INSTANTIATE_TEST_SUITE_P(
    Operators, MatchFilterTable,
    testing::Values(MatchCase{rule("/action", Op::in, {"pull", "push"}), true},
                    MatchCase{rule("/action", Op::in, {"pull"}), false},
                    MatchCase{rule("action", Op::in, {"push"}), true},
                    MatchCase{rule("/action", Op::in, {}), false},
                    MatchCase{rule("/action", Op::not_in, {"pull"}), true},
                    MatchCase{rule("/action", Op::not_in, {"push"}), false},
                    MatchCase{rule("/target/repository", Op::prefix, {"x", "library/"}), true},
                    MatchCase{rule("/target/repository", Op::prefix, {"app"}), false},
                    MatchCase{rule("/target/repository", Op::suffix, {"/app"}), true},
                    MatchCase{rule("/target/repository", Op::suffix, {"/lib"}), false},
                    MatchCase{rule("/target/repository", Op::glob, {"lib*app"}), true},
                    MatchCase{rule("/target/tag", Op::glob, {"v[0-9].?"}), true},
                    MatchCase{rule("/target/tag", Op::glob, {"v2*"}), false},
                    MatchCase{rule("/target/tag", Op::exists), true},
                    MatchCase{rule("/target/fromRepository", Op::exists), false},
                    MatchCase{rule("/target/fromRepository", Op::absent), true},
                    MatchCase{rule("/target/tag", Op::absent), false},
                    MatchCase{rule("/target/size", Op::in, {"122"}), true},
                    MatchCase{rule("/target/size", Op::in, {"122.0"}), false},
                    MatchCase{rule("/ok", Op::in, {"true"}), true},
                    MatchCase{rule("/target/x", Op::exists), true},
                    MatchCase{rule("/target/x", Op::in, {"null"}), true}));

INSTANTIATE_TEST_SUITE_P(MissingFields, MatchFilterTable,
                         testing::Values(MatchCase{rule("/none", Op::in, {""}), false},
                                         MatchCase{rule("/none", Op::prefix, {""}), false},
                                         MatchCase{rule("/none", Op::suffix, {""}), false},
                                         MatchCase{rule("/none", Op::glob, {"*"}), false},
                                         MatchCase{rule("/none", Op::not_in, {"x"}), true},
                                         MatchCase{rule("none", Op::not_in, {"x"}), true},
                                         MatchCase{rule("none", Op::absent), true},
                                         MatchCase{rule("none", Op::exists), false}));

INSTANTIATE_TEST_SUITE_P(Containers, MatchFilterTable,
                         testing::Values(MatchCase{rule("/target", Op::exists), true},
                                         MatchCase{rule("/target", Op::glob, {"*"}), false},
                                         MatchCase{rule("/target", Op::in, {""}), false},
                                         MatchCase{rule("/target", Op::not_in, {""}), true}));

TEST(MatchFilter, wants_everything_without_rules) { EXPECT_TRUE(matches("{}", {})); }

TEST(MatchFilter, asks_for_all_rules) {
    const MatchRule good = rule("/action", Op::in, {"push"});
    const MatchRule bad = rule("/target/tag", Op::in, {"v9"});

    EXPECT_TRUE(matches(push, {good, good}));
    EXPECT_FALSE(matches(push, {good, bad}));
    EXPECT_FALSE(matches(push, {bad, good}));
}

TEST(MatchFilter, asks_for_all_rules_of_any_one_alternative) {
    const MatchRule good = rule("/action", Op::in, {"push"});
    const MatchRule bad = rule("/target/tag", Op::in, {"v9"});
    MatchRule first_holds;
    first_holds.any = {{good}, {bad}};
    MatchRule second_holds;
    second_holds.any = {{good, bad}, {good, good}};
    MatchRule none_holds;
    none_holds.any = {{good, bad}, {bad}};

    EXPECT_TRUE(matches(push, {first_holds}));
    EXPECT_TRUE(matches(push, {second_holds}));
    EXPECT_FALSE(matches(push, {none_holds}));
    EXPECT_FALSE(matches(push, {second_holds, bad}));
}

TEST(MatchFilter, knows_what_was_read_when_the_event_came_in) {
    const auto event = make_event("{}", "push", blob);

    EXPECT_TRUE(MatchFilter({rule("/action", Op::in, {"push"})}).wants(*event));
    EXPECT_TRUE(
        MatchFilter({rule("/target/mediaType", Op::prefix, {"application/"})}).wants(*event));
}

TEST(MatchFilter, compares_an_action_that_is_no_string_by_its_text) {
    EXPECT_TRUE(matches(R"({"action":5})", {rule("/action", Op::in, {"5"})}));
    EXPECT_TRUE(matches(R"({"action":""})", {rule("/action", Op::exists)}));
}

TEST(MatchFilter, holds_nothing_of_a_payload_that_is_no_json) {
    EXPECT_FALSE(matches("{\"a\"", {rule("/a", Op::absent)}));
    EXPECT_FALSE(matches("", {rule("/a", Op::not_in, {"x"})}));
}

TEST(AllOfFilter, wants_what_all_parts_want) {
    std::vector<std::unique_ptr<Filter>> parts;
    parts.push_back(std::make_unique<IgnoreFilter>(std::vector<std::string>{},
                                                   std::vector<std::string>{"pull"}));
    parts.push_back(std::make_unique<MatchFilter>(
        std::vector<MatchRule>{rule("/target/repository", Op::prefix, {"library/"})}));
    const AllOfFilter filter(std::move(parts));
    const std::string payload = R"({"target":{"repository":"library/app"}})";

    EXPECT_TRUE(filter.wants(*make_event(payload, "push")));
    EXPECT_FALSE(filter.wants(*make_event(payload, "pull")));
    EXPECT_FALSE(filter.wants(*make_event("{}", "push")));
}

TEST(AllOfFilter, wants_everything_without_parts) {
    EXPECT_TRUE(AllOfFilter({}).wants(*make_event("{}")));
}

}  // namespace
}  // namespace fanfare
