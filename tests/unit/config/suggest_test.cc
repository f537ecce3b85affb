#include "config/suggest.h"

#include <gtest/gtest.h>

#include "config/not_supported.h"
#include "config/schema.h"

namespace fanfare {
namespace {

const std::vector<std::string> names = {"timeout", "threshold", "connect_timeout", "url", "tls"};

TEST(Suggest, finds_what_was_mistyped) {
    EXPECT_EQ(suggest("tiemout", names), "timeout");
    EXPECT_EQ(suggest("treshold", names), "threshold");
    EXPECT_EQ(suggest("connect-timeout", names), "connect_timeout");
    EXPECT_EQ(suggest("URL", names), "url");
    EXPECT_EQ(suggest("ulr", names), "url");
}

TEST(Suggest, finds_what_was_not_written_to_the_end) {
    EXPECT_EQ(suggest("thresh", names), "threshold");
    EXPECT_EQ(suggest("connect", names), "connect_timeout");
}

TEST(Suggest, finds_nothing_where_nothing_is_near) {
    EXPECT_EQ(suggest("colour", names), "");
    EXPECT_EQ(suggest("", names), "");
    EXPECT_EQ(suggest("x", names), "");
    EXPECT_EQ(suggest(std::string(100000, 'a'), names), "");
    EXPECT_EQ(suggest("timeout", {}), "");
}

TEST(Suggest, takes_the_nearest) {
    EXPECT_EQ(suggest("max_event", {"max_bytes", "max_events"}), "max_events");
}

/// Every key of the table with the section that it stands in.
void expect_supported(const std::vector<Key>& keys, const std::string& section) {
    for (const Key& key : keys) {
        EXPECT_FALSE(is_not_supported(section, key.name)) << section << " " << key.name;
        if (const auto* const choice = std::get_if<ChoiceKind>(&key.kind)) {
            for (const std::string& name : choice->names) {
                EXPECT_FALSE(is_not_supported(section, key.name, name)) << key.name << " " << name;
            }
        }
        if (const auto* const mapping = std::get_if<MappingKind>(&key.kind)) {
            const std::string prefix = section.empty() ? "" : section + ".";
            expect_supported(mapping->keys, prefix + key.name);
        }
    }
}

TEST(NotSupported, holds_nothing_that_is_supported) {
    expect_supported(make_schema().top, "");
    expect_supported(make_schema().endpoint, "endpoints[]");
}

TEST(NotSupported, holds_what_the_contract_promises_for_later) {
    EXPECT_TRUE(is_not_supported("queue", "storage", "nats"));
    EXPECT_FALSE(is_not_supported("queue", "storage", "disk"));
    EXPECT_FALSE(is_not_supported("ingest", "storage", "nats"));
}

}  // namespace
}  // namespace fanfare
