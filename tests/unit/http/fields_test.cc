#include "http/fields.h"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

std::string with_case(std::string text, int (*convert)(int)) {
    for (char& c : text) c = static_cast<char>(convert(static_cast<unsigned char>(c)));
    return text;
}

TEST(FieldName, is_recognised_however_it_is_written) {
    const std::vector<std::pair<std::string, FieldName>> names = {
        {"Authorization", FieldName::authorization},
        {"ce-specversion", FieldName::ce_specversion},
        {"Connection", FieldName::connection},
        {"Content-Length", FieldName::content_length},
        {"Content-Type", FieldName::content_type},
        {"Expect", FieldName::expect},
        {"Host", FieldName::host},
        {"Idempotency-Key", FieldName::idempotency_key},
        {"Proxy-Connection", FieldName::proxy_connection},
        {"traceparent", FieldName::traceparent},
        {"tracestate", FieldName::tracestate},
        {"Transfer-Encoding", FieldName::transfer_encoding},
        {"webhook-id", FieldName::webhook_id}};
    EXPECT_EQ(names.size(), static_cast<std::size_t>(FieldName::other));

    for (const auto& [text, name] : names) {
        EXPECT_EQ(recognise_field_name(text), name) << text;
        EXPECT_EQ(recognise_field_name(with_case(text, std::tolower)), name) << text;
        EXPECT_EQ(recognise_field_name(with_case(text, std::toupper)), name) << text;
    }
}

TEST(FieldName, is_other_if_a_single_byte_differs) {
    for (const char* text :
         {"", "H", "Hos", "Hosts", "H0st", "Expecu", "Connectiom", "Content_Length",
          "Content\rLength", "webhook-ie", "Transfer-Encodinh", "Date", "Server"}) {
        EXPECT_EQ(recognise_field_name(text), FieldName::other) << text;
    }
}

TEST(FieldViews, tell_what_is_there_and_what_is_there_more_than_once) {
    const FieldViews fields = {
        {"Host", "a"}, {"X", "b"}, {"HOST", "c"}, {"Expect", "d"}, {"x", "e"}};

    EXPECT_TRUE(fields.has(FieldName::host));
    EXPECT_TRUE(fields.has_many(FieldName::host));
    EXPECT_TRUE(fields.has(FieldName::expect));
    EXPECT_FALSE(fields.has_many(FieldName::expect));
    EXPECT_FALSE(fields.has(FieldName::connection));
    EXPECT_FALSE(fields.has_many(FieldName::connection));
}

TEST(FieldViews, find_the_first_of_a_name) {
    const FieldViews fields = {{"X", "a"}, {"Expect", "b"}, {"expect", "c"}, {"x", "d"}};

    EXPECT_EQ(fields.find(FieldName::expect), "b");
    EXPECT_EQ(fields.find("EXPECT"), "b");
    EXPECT_EQ(fields.find("x"), "a");
    EXPECT_EQ(fields.count("x"), 2U);
    EXPECT_FALSE(fields.find(FieldName::host));
    EXPECT_FALSE(fields.find("Y"));
}

TEST(FieldViews, forget_everything_when_cleared) {
    FieldViews fields = {{"Host", "a"}, {"Host", "b"}};

    fields.clear(1);

    EXPECT_FALSE(fields.has(FieldName::host));
    EXPECT_FALSE(fields.has_many(FieldName::host));
    EXPECT_FALSE(fields.find(FieldName::host));
    EXPECT_EQ(fields.begin(), fields.end());
}

}  // namespace
}  // namespace fanfare
