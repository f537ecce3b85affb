#include "sink/format/format.h"

#include <gtest/gtest.h>

#include "format_support.h"

namespace fanfare::test {
namespace {

TEST(Body, gives_the_memory_of_a_large_text_up_when_it_is_cleared) {
    Body body;
    body.text.assign(1'000'000, 'x');
    body.head_lines.assign(1000, 'x');
    const std::size_t small = body.head_lines.capacity();

    body.clear();

    EXPECT_LE(body.text.capacity(), Body::kept_bytes_max);
    EXPECT_EQ(body.head_lines.capacity(), small);
}

TEST(Formats, put_an_envelope_around_events) {
    const Rendered one = rendered(BodyFormat::envelope, {event("{ }", {}, MediaType::registry_v1)});
    const Rendered three = rendered(BodyFormat::envelope, {event(R"({"a":1})", {}, MediaType::json),
                                                           event("{}"), event(R"({"b":2})")});

    EXPECT_EQ(one.body, R"({"events":[{ }]})");
    EXPECT_EQ(one.content_type, "application/vnd.docker.distribution.events.v1+json");
    EXPECT_EQ(three.body, R"({"events":[{"a":1},{},{"b":2}]})");
    EXPECT_EQ(three.content_type, "application/vnd.docker.distribution.events.v2+json");
}

TEST(Formats, send_an_event_alone_or_one_per_line) {
    const Rendered one = rendered(BodyFormat::event, {event("{\n\"a\": 1}")});
    const Rendered two = rendered(BodyFormat::event, {event("{\r\n\"a\": 1}"), event("{}")});

    EXPECT_EQ(one.body, "{\n\"a\": 1}");
    EXPECT_EQ(one.content_type, "application/json");
    EXPECT_EQ(two.body, "{\"a\": 1}\n{}\n");
    EXPECT_EQ(two.content_type, "application/x-ndjson");
}

HttpSinkOptions templated(const std::string& text) {
    HttpSinkOptions options;
    options.format = BodyFormat::templated;
    options.body_template = text;
    return options;
}

TEST(Formats, render_a_template_as_json) {
    const Rendered made =
        rendered(templated(R"({"text":"{{ /a }}!"})"), {event(R"({"a":"x\ny"})")});

    EXPECT_EQ(made.body, R"({"text":"x\ny!"})");
    EXPECT_EQ(made.content_type, "application/json");
}

TEST(Formats, render_a_string_as_bare_text_where_the_content_type_says_text) {
    const auto made = [](const std::string& text, const std::string& type) {
        HttpSinkOptions options = templated(text);
        if (!type.empty()) options.headers = {{"content-TYPE", type}};
        return rendered(options, {event(R"({"a":"x\ny"})")}).body;
    };

    EXPECT_EQ(made(R"("{{ /a }}\n")", "text/plain"), "x y\n");
    EXPECT_EQ(made(R"("{{ /a }}\n")", " Text/Plain; charset=utf-8"), "x y\n");
    EXPECT_EQ(made(R"("{{ /a }}\n")", ""), R"("x\ny\u000a")");
    EXPECT_EQ(made(R"("{{ /a }}\n")", "application/json"), R"("x\ny\u000a")");
    EXPECT_EQ(made(R"(["{{ /a }}"])", "text/plain"), R"(["x\ny"])");
}

TEST(Formats, take_one_event_at_a_time_for_a_template) {
    EXPECT_EQ(render_problem(templated("1"), {event("{}"), event("{}")}),
              "the format takes one event at a time");
}

TEST(Formats, refuse_a_bad_template_when_they_are_made) {
    const auto made = make_format(templated(R"("{{ x }}")"));

    ASSERT_TRUE(made.has_error());
    EXPECT_TRUE(made.error().message().starts_with("the template placeholder 1 is no reference"));
}

TEST(Formats, render_the_same_bytes_for_every_attempt_into_one_body) {
    for (const BodyFormat which : {BodyFormat::envelope, BodyFormat::event, BodyFormat::cloudevents,
                                   BodyFormat::cloudevents_binary, BodyFormat::templated}) {
        HttpSinkOptions options = templated(R"("{{ @event }}")");
        options.format = which;
        const auto format = make_format(options);
        const std::vector<EventPtr> batch = {event(R"({"a":1})")};
        Body body;
        std::string first;
        for (int attempt = 0; attempt < 3; ++attempt) {
            body.clear();
            (*format)->render(batch, body);
            std::string all = body.head_lines + std::string(body.content_type);
            for (const auto& buffer : body.request()) {
                all.append(static_cast<const char*>(buffer.data()), buffer.size());
            }
            if (attempt == 0) first = all;
            EXPECT_EQ(all, first) << to_string(which);
        }
        EXPECT_NE(first, "");
    }
}

}  // namespace
}  // namespace fanfare::test
