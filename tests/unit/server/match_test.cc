#include <gtest/gtest.h>

#include "server/admin/match_route.h"

namespace fanfare {
namespace {

using Strings = std::vector<std::string>;

std::shared_ptr<Event> sample() {
    EventFields fields;
    fields.id = "e1";
    fields.action = "push";
    fields.target_media_type = "a/b";
    return Event::make(R"({"id":"e1","action":"push","n":1,"target":{"mediaType":"a/b"}})", fields);
}

MatchRule rule(std::string field, MatchRule::Op op, Strings values = {}) {
    MatchRule result;
    result.field = std::move(field);
    result.op = op;
    result.values = std::move(values);
    return result;
}

TEST(ReasonsAgainst, are_none_where_all_fits) {
    EndpointInfo endpoint;
    endpoint.ignored_actions = {"pull"};
    endpoint.match = {rule("/action", MatchRule::Op::in, {"push"})};

    EXPECT_TRUE(reasons_against(endpoint, *sample()).empty());
}

TEST(ReasonsAgainst, name_what_ignores) {
    EndpointInfo endpoint;
    endpoint.is_disabled = true;
    endpoint.ignored_actions = {"pull", "push"};
    endpoint.ignored_media_types = {"a/b"};

    EXPECT_EQ(reasons_against(endpoint, *sample()),
              (Strings{"the endpoint is disabled", R"(ignore.actions lists "push")",
                       R"(ignore.mediatypes lists "a/b")"}));
}

TEST(ReasonsAgainst, name_every_rule_that_does_not_hold_and_what_it_saw) {
    EndpointInfo endpoint;
    endpoint.match = {rule("/action", MatchRule::Op::in, {"push"}),
                      rule("/action", MatchRule::Op::prefix, {"de", "mo"}),
                      rule("/n", MatchRule::Op::in, {"2"}), rule("/x", MatchRule::Op::exists),
                      rule("/target", MatchRule::Op::glob, {"*"})};

    EXPECT_EQ(
        reasons_against(endpoint, *sample()),
        (Strings{
            R"(match[1] does not hold: {"field":"/action","op":"prefix","value":["de","mo"]}, and /action is "push")",
            R"(match[2] does not hold: {"field":"/n","op":"in","value":["2"]}, and /n is 1)",
            R"(match[3] does not hold: {"field":"/x","op":"exists"}, and /x is missing)",
            R"(match[4] does not hold: {"field":"/target","op":"glob","value":["*"]}, and /target is an object or array)"}));
}

TEST(ReasonsAgainst, know_alternatives) {
    EndpointInfo endpoint;
    MatchRule any;
    any.any = {{rule("/action", MatchRule::Op::in, {"pull"})},
               {rule("/action", MatchRule::Op::absent)}};
    endpoint.match = {any};

    EXPECT_EQ(reasons_against(endpoint, *sample()),
              Strings{"match[0] does not hold: no alternative of `any` is met"});
}

}  // namespace
}  // namespace fanfare
