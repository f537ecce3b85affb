#include "config/format_values.h"

#include <gtest/gtest.h>

#include "config_support.h"

namespace fanfare::test {
namespace {

/// The JSON that a template in YAML becomes.
std::string template_of(const std::string& yaml, const Environment& variables = environment({})) {
    std::string lines = "format: template\ntemplate:\n";
    std::istringstream stream(yaml);
    for (std::string line; std::getline(stream, line);) lines += "  " + line + "\n";
    const EndpointConfig endpoint = endpoint_of(lines, variables);
    EXPECT_EQ(endpoint.http.format, BodyFormat::templated);
    return endpoint.http.body_template;
}

TEST(FormatKeys, name_every_format) {
    EXPECT_EQ(endpoint_of("format: envelope").http.format, BodyFormat::envelope);
    EXPECT_EQ(endpoint_of("format: event").http.format, BodyFormat::event);
    EXPECT_EQ(endpoint_of("format: cloudevents").http.format, BodyFormat::cloudevents);
    EXPECT_EQ(endpoint_of("format: cloudevents-binary").http.format,
              BodyFormat::cloudevents_binary);
    EXPECT_EQ(endpoint_of("format: template\ntemplate: x").http.format, BodyFormat::templated);
}

TEST(FormatKeys, take_a_prefix_of_types) {
    EXPECT_EQ(endpoint_of("type_prefix: com.example.build-1").http.type_prefix,
              "com.example.build-1");
    EXPECT_EQ(endpoint_of("").http.type_prefix, "fanfare.event");
}

TEST(TemplateKey, turns_yaml_into_json_in_its_order) {
    EXPECT_EQ(template_of("text: '{{ /a }} \"q\"'\nb: [1, x, {c: d}]\na: {}\nl: []"),
              R"({"text":"{{ /a }} \"q\"","b":[1,"x",{"c":"d"}],"a":{},"l":[]})");
}

TEST(TemplateKey, takes_values_without_quotes_for_what_they_look_like) {
    EXPECT_EQ(template_of("[1, -2.5, 1e3, 12345678901234567890123, true, false, null, ~]"),
              "[1,-2.5,1e3,12345678901234567890123,true,false,null,null]");
    EXPECT_EQ(
        template_of(R"(["1", 'true', "null", yes, 010, 0x1f, .inf, +1, 1_000, 1., 2026-11-20])"),
        R"(["1","true","null","yes","010","0x1f",".inf","+1","1_000","1.","2026-11-20"])");
}

TEST(TemplateKey, replaces_variables) {
    const Environment variables = environment({{"TOPIC", "a\"b"}, {"N", "5"}});

    EXPECT_EQ(template_of("a: ${TOPIC} {{ /x }}\nb: ${N}\nc: '${N}'\nd: $${N}", variables),
              R"({"a":"a\"b {{ /x }}","b":5,"c":"5","d":"${N}"})");
}

TEST(TemplateKey, takes_a_text_of_several_lines) {
    EXPECT_EQ(template_of("text: |\n  {{ /a }}\n  b"), R"({"text":"{{ /a }}\u000ab\u000a"})");
}

TEST(TemplateKey, may_stand_in_defaults) {
    const Config config = config_of(
        "defaults: {format: template, template: '{{ /a }}'}\n"
        "endpoints:\n  - {name: a, url: 'http://a/'}\n"
        "  - {name: b, url: 'http://b/', template: '{{ /b }}'}\n"
        "  - {name: c, url: 'http://c/', format: event}\n");

    EXPECT_EQ(config.endpoints.at(0).http.body_template, R"("{{ /a }}")");
    EXPECT_EQ(config.endpoints.at(1).http.body_template, R"("{{ /b }}")");
    EXPECT_EQ(config.endpoints.at(2).http.format, BodyFormat::event);
}

TEST(TemplateKey, may_hold_aliases) {
    EXPECT_EQ(template_of("- &text '{{ /a }}'\n- *text"), R"(["{{ /a }}","{{ /a }}"])");
}

TEST(DedupKey, is_off_unless_a_window_is_given) {
    EXPECT_EQ(config_of("endpoints: []").ingest.dedup, (DedupOptions{Duration::zero(), 100000}));
    EXPECT_EQ(config_of("ingest: {dedup: {window: 5m, max_ids: 7}}\nendpoints: []").ingest.dedup,
              (DedupOptions{std::chrono::minutes(5), 7}));
}

}  // namespace
}  // namespace fanfare::test
