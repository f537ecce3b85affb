// What is asked of a stream that is there otherwise than wanted.
#include "nats/stream_change.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

/// What a process asks for, in part.
JsJson wanted_stream() {
    return {{"subjects", {"fanfare.events.*"}},
            {"retention", "limits"},
            {"storage", "file"},
            {"num_replicas", 3},
            {"max_bytes", 10 << 20},
            {"max_age", 0},
            {"duplicate_window", 120'000'000'000},
            {"deny_delete", false}};
}

TEST(StreamChange, is_none_where_all_is_as_wanted) {
    JsJson there = wanted_stream();
    there.erase("deny_delete");  // a server leaves out what is not so
    there["description"] = "an operator's";

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.foreign, "");
    EXPECT_EQ(change.settings, "");
    EXPECT_EQ(change.replicas_kept, 0U);
}

TEST(StreamChange, names_each_setting_with_what_it_was_and_will_be) {
    JsJson there = wanted_stream();
    there["max_bytes"] = -1;
    there["max_age"] = 3'600'000'000'000;
    there["duplicate_window"] = 60'000'000'000;

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.settings,
              "duplicate_window: 1m -> 2m, max_age: 1h -> none, max_bytes: none -> 10MiB");
    EXPECT_EQ(change.config, wanted_stream());
}

TEST(StreamChange, leaves_what_nobody_here_sets) {
    JsJson there = wanted_stream();
    there["max_age"] = 1;
    there["placement"] = {{"tags", {"fast"}}};

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.config.at("placement"), there.at("placement"));
    EXPECT_EQ(change.config.at("max_age"), 0);
}

TEST(StreamChange, gives_it_more_replicas) {
    JsJson there = wanted_stream();
    there["num_replicas"] = 1;

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.settings, "num_replicas: 1 -> 3");
    EXPECT_EQ(change.config.at("num_replicas"), 3);
    EXPECT_EQ(change.replicas_kept, 0U);
}

TEST(StreamChange, never_gives_it_fewer_replicas) {
    JsJson there = wanted_stream();
    there["num_replicas"] = 5;

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.settings, "");
    EXPECT_EQ(change.replicas_kept, 5U);
}

TEST(StreamChange, keeps_the_replicas_while_it_changes_something_else) {
    JsJson there = wanted_stream();
    there["num_replicas"] = 5;
    there["max_bytes"] = 1 << 20;

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_EQ(change.settings, "max_bytes: 1MiB -> 10MiB");
    EXPECT_EQ(change.config.at("num_replicas"), 5);
    EXPECT_EQ(change.replicas_kept, 5U);
}

TEST(StreamChange, is_none_for_a_stream_of_somebody_else) {
    JsJson there = wanted_stream();
    there["subjects"] = {"orders.*"};
    there["num_replicas"] = 1;

    const JsStreamChange change = stream_change(there, wanted_stream());

    EXPECT_NE(change.foreign, "");
    EXPECT_EQ(change.settings, "");
}

}  // namespace
}  // namespace fanfare
