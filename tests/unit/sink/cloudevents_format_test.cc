#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "format_support.h"
#include "sink/format/cloudevent.h"

namespace fanfare::test {
namespace {

using nlohmann::json;

constexpr const char* push = R"({ "id":"id-1","timestamp":"2026-11-20T21:22:37.549023071Z",
  "action":"push","target":{"repository":"library/alpine","tag":"3.19",
  "size":12345678901234567890123},
  "source":{"addr":"registry:5000"}})";

EventFields pushed() {
    EventFields fields;
    fields.action = "push";
    return fields;
}

json structured(const EventPtr& event) {
    return json::parse(rendered(BodyFormat::cloudevents, {event}).body);
}

TEST(CloudEventsFormat, makes_a_cloudevent_of_a_registry_event) {
    const Rendered request = rendered(BodyFormat::cloudevents, {event(push, pushed())});

    EXPECT_EQ(request.content_type, "application/cloudevents+json");
    EXPECT_EQ(request.head_lines, "");
    const std::string attributes =
        R"({"specversion":"1.0","id":"id-1","source":"registry:5000",)"
        R"("type":"org.cncf.distribution.push","subject":"library/alpine:3.19",)"
        R"("time":"2026-11-20T21:22:37.549023071Z","datacontenttype":"application/json","data":)";
    EXPECT_EQ(request.body, attributes + push + "}");
}

TEST(CloudEventsFormat, sends_a_cloudevent_byte_for_byte) {
    const std::string payload =
        "{ \"specversion\" : \"1.0\",\n\"id\":\"1\", \"source\":\"/s\",\"type\":\"t\","
        "\"data\":1e400, \"data\":[ ] }";

    const Rendered request = rendered(BodyFormat::cloudevents, {cloudevent(payload)});

    EXPECT_EQ(request.content_type, "application/cloudevents+json");
    EXPECT_EQ(request.body, payload);
}

TEST(CloudEventsFormat, sends_several_as_a_batch_in_order) {
    const EventPtr other = cloudevent(R"({"specversion":"1.0","id":"2","source":"s","type":"t"})");

    const Rendered request = rendered(
        BodyFormat::cloudevents, {event(push, pushed()), other, event("{}"), event(push), other});

    EXPECT_EQ(request.content_type, "application/cloudevents-batch+json");
    const json events = json::parse(request.body);
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0], structured(event(push, pushed())));
    EXPECT_EQ(events[1], json::parse(other->payload()));
    EXPECT_EQ(events[2]["data"], json::object());
    EXPECT_EQ(events[3]["type"], "org.cncf.distribution");
    EXPECT_EQ(events[4], events[1]);
}

TEST(CloudEventsFormat, names_the_type_by_what_the_event_came_in) {
    HttpSinkOptions options;
    options.format = BodyFormat::cloudevents;
    options.type_prefix = "com.example.build";
    const auto type = [&](MediaType received, const EventFields& fields) {
        return json::parse(rendered(options, {event("{}", fields, received)}).body)["type"];
    };

    EXPECT_EQ(type(MediaType::registry_v1, pushed()), "org.cncf.distribution.push");
    EXPECT_EQ(type(MediaType::registry_v2, pushed()), "org.cncf.distribution.push");
    EXPECT_EQ(type(MediaType::json, pushed()), "com.example.build.push");
    EXPECT_EQ(type(MediaType::json, {}), "com.example.build");
    EXPECT_EQ(type(MediaType::registry_v2, {}), "org.cncf.distribution");
}

TEST(CloudEventsFormat, calls_the_source_by_a_uri_reference) {
    const auto source = [](const std::string& address) {
        const json payload = {{"source", {{"addr", address}}}};
        return structured(event(payload.dump()))["source"];
    };

    EXPECT_EQ(source("registry:5000"), "registry:5000");
    EXPECT_EQ(source("https://registry.example.com/v2"), "https://registry.example.com/v2");
    EXPECT_EQ(source("10.0.0.1:5000"), "//10.0.0.1:5000");
    EXPECT_EQ(source("[fd00::1]:5000"), "//[fd00::1]:5000");
    EXPECT_EQ(source("not a source"), "fanfare");
    EXPECT_EQ(source("é"), "fanfare");
    EXPECT_EQ(source(""), "fanfare");
    EXPECT_EQ(structured(event("{}"))["source"], "fanfare");
    EXPECT_EQ(structured(event(R"({"source":"x"})"))["source"], "fanfare");
}

TEST(CloudEventsFormat, leaves_out_what_the_event_does_not_tell) {
    const auto keys = [](const char* payload) {
        const json made = structured(event(payload));
        std::vector<std::string> names;
        for (const auto& item : made.items()) names.push_back(item.key());
        return names;
    };
    const std::vector<std::string> least = {"data",   "datacontenttype", "id",
                                            "source", "specversion",     "type"};

    EXPECT_EQ(keys("{}"), least);
    EXPECT_EQ(keys(R"({"timestamp":"yesterday","target":{"repository":"","tag":"t"}})"), least);
    EXPECT_EQ(keys(R"({"timestamp":5,"target":[],"source":null})"), least);
}

TEST(CloudEventsFormat, calls_the_subject_by_the_repository_without_a_tag) {
    EXPECT_EQ(structured(event(R"({"target":{"repository":"a/b"}})"))["subject"], "a/b");
}

TEST(CloudEventsFormat, hands_the_trace_on_as_extensions) {
    EventFields fields;
    fields.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    fields.tracestate = "a=\"b\"";
    const json traced = structured(event("{}", fields));
    fields.tracestate = "\xff";

    EXPECT_EQ(traced["traceparent"], fields.traceparent);
    EXPECT_EQ(traced["tracestate"], "a=\"b\"");
    EXPECT_FALSE(structured(event("{}", fields)).contains("tracestate")) << "not UTF-8";
}

TEST(CloudEventsFormat, stays_json_whatever_the_event_is_called) {
    EventFields fields;
    fields.id = "a\"\\\n\x01é😀";
    fields.action = "\"}";

    const json made = structured(event(R"({"target":{"repository":"\"\n\u0000😀"}})", fields));

    EXPECT_EQ(made["id"], fields.id);
    EXPECT_EQ(made["type"], "org.cncf.distribution.\"}");
    EXPECT_EQ(made["subject"], std::string("\"\n\0😀", 7));
}

TEST(CloudEventsFormat, gives_up_what_is_no_json_object) {
    HttpSinkOptions options;
    options.format = BodyFormat::cloudevents;

    EXPECT_EQ(render_problem(options, {event("[1]")}), "the event is no JSON object");
    EXPECT_EQ(render_problem(options, {event("nonsense")}), "the event is no JSON object");
}

TEST(UriReference, is_told_from_other_texts) {
    for (const char* const text :
         {"a", "/a/b", "registry:5000", "http://h:80/p?q=/?#f/?", "//h", "//[::1]:80/x", "urn:x:y",
          "a/b:c", "%20", "?q", "#f", "mailto:a@b.c", "a+b.c-d:x", "//u:p@h/", "*", "http:///x"}) {
        EXPECT_TRUE(is_uri_reference(text)) << text;
    }
    for (const char* const text :
         {"",         " ",      "a b",   "10.0.0.1:5000", ":",        ":80",  "%2", "%zz",  "a#b#c",
          "[::1]:80", "//[::1", "//[x]", "//[]",          "//[::1]x", "a[b]", "é",  "a\"b", "a<b>",
          "a\\b",     "a\nb",   "1a:b",  "a^b",           "{a}",      "a|b",  "`"}) {
        EXPECT_FALSE(is_uri_reference(text)) << text;
    }
}

TEST(Rfc3339, is_told_from_other_texts) {
    for (const char* const text :
         {"2026-11-20T21:22:37Z", "2026-11-20t21:22:37z", "2026-11-20T21:22:37.5Z",
          "2026-11-20T21:22:37.549023071+01:00", "2024-02-29T00:00:00-23:59",
          "2000-02-29T00:00:00Z", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z"}) {
        EXPECT_TRUE(is_rfc3339(text)) << text;
    }
    for (const char* const text : {"",
                                   "2026-11-20",
                                   "2026-11-20T21:22:37",
                                   "2026-11-20 21:22:37Z",
                                   "2026-13-20T21:22:37Z",
                                   "2026-00-20T21:22:37Z",
                                   "2026-11-31T21:22:37Z",
                                   "2026-11-00T21:22:37Z",
                                   "2025-02-29T00:00:00Z",
                                   "1900-02-29T00:00:00Z",
                                   "2026-11-20T24:00:00Z",
                                   "2026-11-20T21:60:00Z",
                                   "2026-11-20T21:22:61Z",
                                   "2026-11-20T21:22:37.Z",
                                   "2026-11-20T21:22:37.5",
                                   "2026-11-20T21:22:37+1:00",
                                   "2026-11-20T21:22:37+24:00",
                                   "2026-11-20T21:22:37+01:60",
                                   "2026-11-20T21:22:37+0100",
                                   "2026-11-20T21:22:37Zx",
                                   "2026-11-2OT21:22:37Z",
                                   "+026-11-20T21:22:37Z",
                                   "2026/11/20T21:22:37Z",
                                   "now"}) {
        EXPECT_FALSE(is_rfc3339(text)) << text;
    }
}

}  // namespace
}  // namespace fanfare::test
