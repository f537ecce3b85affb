#include "sink/format/template.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "format_support.h"

namespace fanfare::test {
namespace {

using nlohmann::json;
using Output = Template::Output;

constexpr const char* odd_payload =
    R"({"text":"a\"b\\\n\u0001é😀\/","number":12345678901234567890123,
  "real":1e400,"yes":true,"nothing":null,"list":[1, "x y",{"k" : "v\n"}],"empty":"","":{"a/b":1}})";

std::string render(const std::string& text, const EventPtr& event, Output output = Output::json) {
    const Result<Template> made = Template::make(text, output);
    EXPECT_TRUE(made.has_value()) << text;
    std::string out;
    made->render(*event, out);
    return out;
}

std::string render(const std::string& text, Output output = Output::json) {
    return render(text, event(odd_payload), output);
}

struct Case {
    const char* text;
    const char* rendered;
};
class TemplateRender : public testing::TestWithParam<Case> {};

TEST_P(TemplateRender, gives) { EXPECT_EQ(render(GetParam().text), GetParam().rendered); }

INSTANTIATE_TEST_SUITE_P(
    Values, TemplateRender,
    testing::Values(
        // Without placeholders all stays, but for white space.
        Case{R"({ "b" : [1, 2.50, null, true, 1e400], "a": "x\ny" })",
             R"({"b":[1,2.50,null,true,1e400],"a":"x\u000ay"})"},
        Case{"7", "7"}, Case{R"("")", R"("")"}, Case{R"("}} { }")", R"("}} { }")"},
        // Nothing but a placeholder: the value itself.
        Case{R"("{{ /number }}")", "12345678901234567890123"}, Case{R"("{{/real}}")", "1e400"},
        Case{R"("{{ /yes }}")", "true"}, Case{R"("{{ /nothing }}")", "null"},
        Case{R"("{{ /none }}")", "null"}, Case{R"("{{ /empty }}")", R"("")"},
        Case{R"("{{ /text }}")", R"("a\"b\\\n\u0001é😀\/")"},
        Case{R"(["{{ /list }}"])", R"([[1, "x y",{"k" : "v\n"}]])"},
        Case{R"("{{ /list/2/k }}")", R"("v\n")"}, Case{R"("{{ //a~1b }}")", "1"},
        // Within a text: texts as they are, other values as JSON, nothing for what is not there.
        Case{R"("<{{ /text }}>")", R"("<a\"b\\\n\u0001é😀\/>")"},
        Case{R"("n={{/number}} r={{/real}} {{/yes}}")",
             R"("n=12345678901234567890123 r=1e400 true")"},
        Case{R"("[{{ /nothing }}{{ /none }}{{ /empty }}]")", R"("[]")"},
        Case{R"(" {{ /list }}")", R"(" [1,\"x y\",{\"k\":\"v\\n\"}]")"},
        Case{R"("{{ /yes }} ")", R"("true ")"}, Case{R"("{{ /yes }}{{ /yes }}")", R"("truetrue")"},
        Case{R"("\u007b{ /yes }} \"q\"")", R"("true \"q\"")"},
        // References and plain texts.
        Case{R"("{{ @id }}")", R"("id-1")"}, Case{R"("id {{ @id }}")", R"("id id-1")"},
        Case{R"("{{ @seq }}")", "0"}, Case{R"("#{{ @seq }}")", R"("#0")"},
        Case{R"("{{ \"{{\" }}")", R"("{{")"}, Case{R"("{{ \"}}\" }} {{ /yes }}")", R"("}} true")"},
        Case{R"("{{ \"a\\\"}}b\" }}")", R"("a\"}}b")"},
        Case{R"("{{ /number }}{{ \"\" }}")", R"("12345678901234567890123")"},
        Case{R"("{{ /none }}{{ \"\" }}")", R"("")"}));

TEST(Template, gives_the_whole_event) {
    EXPECT_EQ(render(R"({"data":"{{ @event }}"})"), std::string(R"({"data":)") + odd_payload + "}");
    EXPECT_EQ(json::parse(render(R"("event: {{ @event }}")", event(R"({ "a" : "b c" })"))),
              R"(event: {"a":"b c"})");
}

TEST(Template, leaves_a_line_a_line_in_plain_output) {
    EXPECT_EQ(render(R"("{{ /text }}|{{ /list }}|{{ /none }}|{{ /number }}\n")", Output::plain),
              "a\"b\\  é😀/|[1,\"x y\",{\"k\":\"v\\n\"}]||12345678901234567890123\n");
    EXPECT_EQ(render(R"("{{ /yes }}")", Output::plain), "true");
    EventFields fields;
    fields.id = "a\r\nb";
    EXPECT_EQ(render(R"("{{ @id }}")", event("{}", fields), Output::plain), "a  b");
}

TEST(Template, escapes_an_id_in_json) {
    EventFields fields;
    fields.id = "a\"\nb";

    EXPECT_EQ(json::parse(render(R"(["{{ @id }}","{{ @id }}."])", event("{}", fields))),
              (json{"a\"\nb", "a\"\nb."}));
}

std::string problem(const std::string& text, Output output = Output::json) {
    const Result<Template> made = Template::make(text, output);
    return made.has_error() ? made.error().message() : "";
}

TEST(Template, refuses_what_is_no_template) {
    for (const char* const text :
         {R"("{{")", R"("{{ /a")", R"("{{ /a }")", R"("{{ }}")", R"("{{ a }}")", R"("{{ /a~ }}")",
          R"("{{ /a~2 }}")", R"("{{ @ }}")", R"("{{ @ID }}")", R"("{{ \"a }}")", R"("{{ 5 }}")",
          R"("{{ \"a\" b }}")", R"({"{{ /a }}":1})", R"([{"a":["{{ x }}"]}])", "", "{", "tru",
          R"("\ud800")"}) {
        EXPECT_NE(problem(text), "") << text;
    }
}

TEST(Template, shows_nothing_of_a_bad_text_in_the_message) {
    EXPECT_EQ(problem(R"("{{ s3cr3t }}")").find("s3cr3t"), std::string::npos);
}

TEST(Template, has_bounds) {
    const std::string much(Template::bytes_max, 'x');
    std::string placeholders = "\"";
    for (std::size_t i = 0; i <= Template::placeholders_max; ++i) placeholders += "{{ /a }}";

    EXPECT_EQ(problem('"' + much.substr(2) + '"'), "");
    EXPECT_NE(problem('"' + much.substr(1) + '"'), "");
    EXPECT_NE(problem(placeholders + '"'), "");
    EXPECT_NE(problem(std::string(600, '[') + std::string(600, ']')), "") << "depth";
}

TEST(Template, is_a_string_in_plain_output) {
    EXPECT_EQ(problem("{}", Output::plain), "is no string; expected one");
    EXPECT_EQ(problem(R"( "a" )", Output::plain), "");
}

TEST(Template, makes_no_more_than_8_mib_of_an_event) {
    HttpSinkOptions options;
    options.format = BodyFormat::templated;
    const EventPtr large = event(R"({"a":")" + std::string(2 * 1024 * 1024, 'x') + "\"}");

    options.body_template = R"(["{{ /a }}","{{ /a }}","{{ /a }}"])";
    EXPECT_EQ(render_problem(options, {large}), "");
    options.body_template = R"(["{{ /a }}","{{ /a }}","{{ /a }}","{{ /a }}"])";
    EXPECT_EQ(render_problem(options, {large}), "the template makes too much of the event");
    EXPECT_EQ(render_problem(options, {event("{}")}), "");
}

TEST(Template, reads_no_more_than_8_mib_of_an_event) {
    HttpSinkOptions options;
    options.format = BodyFormat::templated;
    const EventPtr blank = event(R"({"a":[)" + std::string(3 * 1024 * 1024, ' ') + "]}");

    options.body_template = R"(["a: {{ /a }}, {{ /a }}"])";
    EXPECT_EQ(render_problem(options, {blank}), "");
    options.body_template = R"(["a: {{ /a }}, {{ /a }}, {{ /a }}"])";
    EXPECT_EQ(render_problem(options, {blank}), "the template makes too much of the event");
}

// Placeholders by the rules of the documents, applied to parsed JSON: slow and plain.
json expected(const json& node, const json& event) {
    if (node.is_object() || node.is_array()) {
        json result = node;
        for (json& value : result) value = expected(value, event);
        return result;
    }
    if (!node.is_string()) return node;
    const std::string text = node;
    const auto found = [&](const std::string& pointer) {
        const json::json_pointer at(pointer);
        return event.contains(at) ? event.at(at) : json();
    };
    if (text.starts_with("{{") && text.find("}}") == text.size() - 2) {
        return found(text.substr(2, text.size() - 4));
    }
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        if (text.compare(i, 2, "{{") != 0) {
            result += text[i++];
            continue;
        }
        const std::size_t end = text.find("}}", i);
        const json value = found(text.substr(i + 2, end - i - 2));
        if (value.is_string()) {
            result += value.get<std::string>();
        } else if (!value.is_null()) {
            result += value.dump();
        }
        i = end + 2;
    }
    return result;
}

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t bound) { return engine_() % bound; }

    std::string text() {
        static const std::vector<std::string> pieces = {"\"",
                                                        "\\",
                                                        "\n",
                                                        "\r\n",
                                                        "\t",
                                                        "é",
                                                        "😀",
                                                        "\x01",
                                                        "\x7f",
                                                        "/",
                                                        "a",
                                                        " ",
                                                        "{",
                                                        "}",
                                                        "<",
                                                        "&",
                                                        "'",
                                                        "%",
                                                        "null",
                                                        "${",
                                                        "~",
                                                        ",",
                                                        std::string(1, '\0'),
                                                        std::string(500, 'x')};
        std::string result;
        for (std::size_t i = below(6); i > 0; --i) result += pieces[below(pieces.size())];
        return result;
    }

    json value(int depth) {
        switch (below(depth > 0 ? 8 : 5)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return below(1'000'000);
            case 3:
            case 4:
                return text();
            case 5:
                return json::array({value(depth - 1), value(depth - 1)});
            default:
                return {
                    {"a", value(depth - 1)}, {"b", value(depth - 1)}, {text(), value(depth - 1)}};
        }
    }

    std::string placeholder() {
        static const std::vector<std::string> pointers = {"/a",   "/b",    "/a/a",  "/a/b",
                                                          "/b/0", "/none", "/b/a/1"};
        return "{{" + pointers[below(pointers.size())] + "}}";
    }

    json body(int depth) {
        if (depth > 0 && below(3) == 0) return json::array({body(depth - 1), body(depth - 1)});
        if (depth > 0 && below(2) == 0) return {{"x", body(depth - 1)}, {"y\n", body(depth - 1)}};
        std::string result;
        for (std::size_t i = below(4); i > 0; --i) {
            std::string text = this->text();
            std::erase(text, '{');  // two in a row would begin a placeholder
            result += below(2) == 0 ? placeholder() : text;
        }
        return result;
    }

  private:
    std::mt19937 engine_;
};

TEST(Template, renders_what_the_rules_say_whatever_the_event_holds) {
    constexpr unsigned seed = 20261121;
    Random random(seed);
    for (int round = 0; round < 3000; ++round) {
        const json data = {{"a", random.value(3)}, {"b", random.value(3)}};
        const json body = random.body(3);
        const std::string context =
            "seed " + std::to_string(seed) + " round " + std::to_string(round) + ": " + body.dump();

        const std::string made = render(body.dump(), event(data.dump(round % 3 - 1)));

        ASSERT_TRUE(json::accept(made)) << context << "\n" << made;
        ASSERT_EQ(json::parse(made), expected(body, data)) << context << "\n" << data.dump();
    }
}

}  // namespace
}  // namespace fanfare::test
