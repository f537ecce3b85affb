#include <gtest/gtest.h>

#include "format_support.h"

namespace fanfare::test {
namespace {

HttpSinkOptions binary() {
    HttpSinkOptions options;
    options.format = BodyFormat::cloudevents_binary;
    return options;
}

Rendered rendered_binary(const std::string& payload) {
    return rendered(binary(), {cloudevent(payload)});
}

constexpr const char* start = R"({"specversion":"1.0","id":"1","source":"/s","type":"t")";
constexpr const char* start_lines =
    "ce-id: 1\r\nce-source: /s\r\nce-specversion: 1.0\r\nce-type: t\r\n";

Rendered with(const std::string& members) { return rendered_binary(start + members + "}"); }

TEST(CloudEventsBinaryFormat, puts_the_attributes_of_a_registry_event_into_headers) {
    EventFields fields;
    fields.action = "push";
    const std::string payload =
        R"({"timestamp":"2026-11-20T21:22:37Z","target":{"repository":"a","tag":"b"},)"
        R"("source":{"addr":"r:5"}})";

    const Rendered request = rendered(binary(), {event(payload, fields)});

    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.body, payload);
    EXPECT_EQ(request.head_lines,
              "ce-specversion: 1.0\r\nce-id: id-1\r\nce-source: r:5\r\n"
              "ce-type: org.cncf.distribution.push\r\nce-subject: a:b\r\n"
              "ce-time: 2026-11-20T21:22:37Z\r\n");
}

TEST(CloudEventsBinaryFormat, sends_the_data_of_a_cloudevent_as_it_is) {
    const Rendered request = with(R"(,"data": {"a" : 1e400, "b":[ ] } )");

    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.body, R"({"a" : 1e400, "b":[ ] })");
    EXPECT_EQ(request.head_lines, start_lines);
}

TEST(CloudEventsBinaryFormat, percent_encodes_values) {
    const Rendered request = with(R"(,"ext":"Euro € 😀","quote":"a\"b%c\r\nd\u007f~!")");

    EXPECT_EQ(request.head_lines,
              "ce-ext: Euro%20%E2%82%AC%20%F0%9F%98%80\r\nce-id: 1\r\n"
              "ce-quote: a%22b%25c%0D%0Ad%7F~!\r\nce-source: /s\r\nce-specversion: 1.0\r\n"
              "ce-type: t\r\n");
}

TEST(CloudEventsBinaryFormat, writes_numbers_and_booleans_as_text_and_leaves_the_rest_out) {
    const Rendered request =
        with(R"(,"a":12,"b":true,"c":null,"d":"","e":{},"f":[],"not-a-name":"x","UPPER":"x")");

    EXPECT_EQ(request.head_lines, std::string("ce-a: 12\r\nce-b: true\r\n") + start_lines);
}

TEST(CloudEventsBinaryFormat, decodes_data_in_base64) {
    const Rendered request =
        with(R"(,"datacontenttype":"application/octet-stream","data_base64":"AAECAw==")");

    EXPECT_EQ(request.content_type, "application/octet-stream");
    EXPECT_EQ(request.body, std::string("\0\1\2\3", 4));
    EXPECT_EQ(request.head_lines, start_lines);
}

TEST(CloudEventsBinaryFormat, sends_text_as_text_unless_the_type_is_json) {
    const auto data = [](const std::string& type) {
        return with(R"(,"datacontenttype":")" + type + R"(","data":"a\nb")").body;
    };

    EXPECT_EQ(data("text/plain"), "a\nb");
    EXPECT_EQ(data("text/plain; charset=utf-8"), "a\nb");
    EXPECT_EQ(data("application/json"), R"("a\nb")");
    EXPECT_EQ(data("Application/JSON; charset=utf-8"), R"("a\nb")");
    EXPECT_EQ(data("application/x+json"), R"("a\nb")");
    EXPECT_EQ(with(R"(,"datacontenttype":"text/plain","data":{"a":1})").body, R"({"a":1})");
}

TEST(CloudEventsBinaryFormat, has_no_body_without_data) {
    EXPECT_EQ(with("").body, "");
    EXPECT_EQ(with("").content_type, "");
    EXPECT_EQ(with(R"(,"data":null)").content_type, "");
    EXPECT_EQ(with(R"(,"datacontenttype":"text/plain")").content_type, "text/plain");
    EXPECT_EQ(with(R"(,"data":null,"datacontenttype":"text/plain")").body, "");
}

TEST(CloudEventsBinaryFormat, lets_configured_headers_replace_attributes) {
    HttpSinkOptions options = binary();
    options.headers = {{"CE-Source", "/mine"}, {"X-Other", "1"}};

    const Rendered request = rendered(options, {cloudevent(std::string(start) + "}")});

    EXPECT_EQ(request.head_lines, "ce-id: 1\r\nce-specversion: 1.0\r\nce-type: t\r\n");
}

TEST(CloudEventsBinaryFormat, gives_up_what_fits_no_head) {
    const auto problem = [](const std::string& members) {
        return render_problem(binary(), {cloudevent(start + members + "}")});
    };

    EXPECT_EQ(problem(R"(,"datacontenttype":"text/plain\r\nX-Evil: 1")"),
              "the event's datacontenttype is no header value");
    for (const char* const base64 : {R"("not base64!")", "5", "true", "[1]", "{}"}) {
        EXPECT_EQ(problem(std::string(R"(,"data_base64":)") + base64),
                  "the event's data_base64 is none")
            << base64;
    }
    EXPECT_EQ(problem(R"(,"ext":")" + std::string(70'000, 'x') + "\""),
              "the event's attributes are too long for headers");
    EXPECT_EQ(problem(""), "");
}

TEST(CloudEventsBinaryFormat, takes_one_event_at_a_time) {
    EXPECT_EQ(render_problem(binary(), {event("{}"), event("{}")}),
              "the format takes one event at a time");
}

}  // namespace
}  // namespace fanfare::test
