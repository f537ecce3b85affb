#include "event/meta_rules.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using Op = MatchRule::Op;
using Values = std::vector<std::string>;

MatchRule rule_about(const std::string& field, Op op, Values values) {
    MatchRule rule;
    rule.field = field;
    rule.op = op;
    rule.values = std::move(values);
    return rule;
}

bool asks(const std::string& field, Op op, Values values) {
    return ask_for_meta({rule_about(field, op, std::move(values))});
}

TEST(MetaRules, ask_by_an_action) {
    EXPECT_TRUE(asks("/action", Op::in, {"push", "endpoint.down"}));
    EXPECT_TRUE(asks("action", Op::in, {"config.reloaded"}));
    EXPECT_FALSE(asks("/action", Op::in, {"push"}));
    EXPECT_FALSE(asks("/action", Op::not_in, {"endpoint.down"}));
    EXPECT_FALSE(asks("/action", Op::prefix, {"endpoint."}));
    EXPECT_FALSE(asks("/subject", Op::in, {"endpoint.down"}));
}

TEST(MetaRules, ask_by_the_source) {
    EXPECT_TRUE(asks("/source", Op::in, {"a", "meta"}));
    EXPECT_TRUE(asks("source", Op::prefix, {"met"}));
    EXPECT_TRUE(asks("/source", Op::glob, {"m*"}));
    EXPECT_FALSE(asks("/source", Op::in, {"http"}));
    EXPECT_FALSE(asks("/source", Op::not_in, {"meta"}));
    EXPECT_FALSE(asks("/source", Op::suffix, {"meta"}));
    EXPECT_FALSE(asks("/source/addr", Op::in, {"meta"}));
    EXPECT_FALSE(asks("/source", Op::exists, {}));
}

TEST(MetaRules, do_not_ask_by_what_fits_any_source) {
    EXPECT_FALSE(asks("/source", Op::glob, {"*"}));
    EXPECT_FALSE(asks("/source", Op::glob, {"????"}));
    EXPECT_FALSE(asks("/source", Op::prefix, {""}));
}

TEST(MetaRules, ask_also_in_an_alternative) {
    MatchRule any;
    any.any = {
        {rule_about("/type", Op::in, {"a"})},
        {rule_about("/type", Op::exists, {}), rule_about("/action", Op::in, {"endpoint.up"})}};
    MatchRule none;
    none.any = {{rule_about("/action", Op::in, {"push"})}};

    EXPECT_TRUE(ask_for_meta({rule_about("/type", Op::exists, {}), any}));
    EXPECT_FALSE(ask_for_meta({none}));
    EXPECT_FALSE(ask_for_meta({}));
}

}  // namespace
}  // namespace fanfare
