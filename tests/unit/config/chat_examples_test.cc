// The examples for Slack, Discord, Teams, ntfy and a line of text, with data that breaks templates
// which are put together from texts.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config_support.h"
#include "sink/format/format.h"

namespace fanfare::test {
namespace {

using nlohmann::json;

/// An event in which every text is `text`.
json event_of(const std::string& text) {
    return {{"id", text},
            {"timestamp", text},
            {"action", text},
            {"target", {{"repository", text}, {"tag", text}, {"digest", text}, {"size", 7}}},
            {"request", {{"addr", text}}},
            {"actor", {{"name", text}}}};
}

std::string render(const std::string& example, const std::string& payload) {
    const Config config = config_of(file_text("config/examples/" + example + ".yaml"));
    EXPECT_EQ(config.endpoints.size(), 1U);
    const auto format = make_format(config.endpoints.at(0).http);
    EXPECT_TRUE(format.has_value());
    EventFields fields;
    fields.id = "id";
    const std::vector<EventPtr> batch = {Event::make(payload, fields)};
    Body body;
    body.clear();
    (*format)->render(batch, body);
    std::string text;
    for (const auto& buffer : body.request()) {
        text.append(static_cast<const char*>(buffer.data()), buffer.size());
    }
    return text;
}

const std::vector<std::string>& awkward_texts() {
    static const std::vector<std::string> texts = {"library/alpine",
                                                   R"(a "quoted" 'name')",
                                                   "two\nlines\r\nand a\ttab",
                                                   R"(C:\path\n \u0041 \)",
                                                   std::string("\0\x01\x1b[31m\x7f", 8),
                                                   "😀 é 漢字 \u2028\u2029\u0085 e\u0301",
                                                   R"("}],"injected":[{"a":")",
                                                   "{{ /actor/name }} ${HOME} {% x %}",
                                                   "<!channel> @everyone <b>&amp;</b> *bold*",
                                                   std::string(100'000, 'x'),
                                                   ""};
    return texts;
}

TEST(ChatExamples, slack) {
    for (const std::string& text : awkward_texts()) {
        const json expected = {
            {"text", text + " of an image"},
            {"blocks",
             {{{"type", "section"},
               {"text", {{"type", "plain_text"}, {"text", text + " " + text + ":" + text}}}},
              {{"type", "context"},
               {"elements",
                {{{"type", "plain_text"}, {"text", "by " + text + " from " + text}},
                 {{"type", "plain_text"}, {"text", "digest " + text}}}}}}}};

        EXPECT_EQ(json::parse(render("slack", event_of(text).dump())), expected);
    }
}

TEST(ChatExamples, discord) {
    for (const std::string& text : awkward_texts()) {
        const json fields = {{{"name", "Digest"}, {"value", "digest " + text}},
                             {{"name", "Actor"}, {"value", "by " + text}, {"inline", true}}};
        const json embed = {{"title", text + ":" + text}, {"fields", fields}};
        const json expected = {{"username", "Registry"},
                               {"content", text + " " + text + ":" + text},
                               {"embeds", json::array({embed})},
                               {"allowed_mentions", {{"parse", json::array()}}}};

        EXPECT_EQ(json::parse(render("discord", event_of(text).dump())), expected);
    }
}

json card_of(const std::string& text, const std::string& size) {
    const auto fact = [](const char* title, const std::string& value) {
        return json{{"title", title}, {"value", value}};
    };
    const json facts = {fact("Digest", text), fact("Size", size), fact("Actor", text),
                        fact("Time", text)};
    const json title = {{"type", "TextBlock"},
                        {"text", text + " " + text + ":" + text},
                        {"weight", "Bolder"},
                        {"wrap", true}};
    return {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"type", "AdaptiveCard"},
            {"version", "1.4"},
            {"body", {title, {{"type", "FactSet"}, {"facts", facts}}}}};
}

json teams_message(const json& card) {
    const json attachment = {{"contentType", "application/vnd.microsoft.card.adaptive"},
                             {"contentUrl", nullptr},
                             {"content", card}};
    return {{"type", "message"}, {"attachments", json::array({attachment})}};
}

TEST(ChatExamples, teams) {
    for (const std::string& text : awkward_texts()) {
        EXPECT_EQ(json::parse(render("teams", event_of(text).dump())),
                  teams_message(card_of(text, "7")));
    }
}

TEST(ChatExamples, ntfy) {
    for (const std::string& text : awkward_texts()) {
        const json expected = {{"topic", "registry"},
                               {"title", text + " " + text},
                               {"message", text + ":" + text + " by " + text},
                               {"tags", {"package", text}},
                               {"priority", 3}};

        EXPECT_EQ(json::parse(render("ntfy", event_of(text).dump())), expected);
    }
}

TEST(ChatExamples, line_of_text) {
    for (const std::string& text : awkward_texts()) {
        std::string blank = text;
        for (char& c : blank) {
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
        }
        const std::string expected =
            blank + " 0 " + blank + " " + blank + ":" + blank + " " + blank + "\n";

        EXPECT_EQ(render("text-line", event_of(text).dump()), expected);
    }
}

TEST(ChatExamples, do_without_what_an_event_lacks) {
    json card = card_of("", "");
    card["body"][0]["text"] = " :";

    EXPECT_EQ(json::parse(render("slack", "{}"))["blocks"][0]["text"]["text"], " :");
    EXPECT_EQ(json::parse(render("discord", "{}"))["content"], " :");
    EXPECT_EQ(json::parse(render("teams", R"({"target":null,"actor":[]})")), teams_message(card));
    EXPECT_EQ(json::parse(render("ntfy", "{}"))["tags"], (json{"package", ""}));
    EXPECT_EQ(render("text-line", "{}"), " 0  : \n");
}

}  // namespace
}  // namespace fanfare::test
