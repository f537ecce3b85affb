#include "sink/head_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace fanfare {
namespace {

using Headers = HeadTemplate::Headers;

HeadFacts some_facts() {
    HeadFacts facts;
    facts.content_type = "text/x";
    facts.content_length = 12;
    facts.webhook_id = "id-1";
    facts.timestamp_seconds = 1700000000;
    facts.attempt = 3;
    return facts;
}

std::string render(const std::string& url, const Headers& configured,
                   const HeadFacts& facts = some_facts()) {
    const Result<HeadTemplate> made = HeadTemplate::make(*parse_url(url), configured);
    if (made.has_error()) return made.error().message();
    std::string head = "what was there before";
    made->render(facts, head);
    return head;
}

bool holds(const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST(HeadTemplate, has_the_defaults_of_the_contract_in_order) {
    const std::string head = render("http://example.com:8080/hook?a=b", {});

    const std::size_t agent = head.find("User-Agent: fanfare/");
    ASSERT_NE(agent, std::string::npos);
    EXPECT_TRUE(std::isdigit(head[agent + std::string("User-Agent: fanfare/").size()]));
    EXPECT_EQ(head.substr(0, agent),
              "POST /hook?a=b HTTP/1.1\r\n"
              "Host: example.com:8080\r\n");
    EXPECT_EQ(head.substr(head.find('\n', agent) + 1),
              "Content-Type: text/x\r\n"
              "Content-Length: 12\r\n"
              "webhook-id: id-1\r\n"
              "webhook-timestamp: 1700000000\r\n"
              "fanfare-attempt: 3\r\n"
              "\r\n");
}

TEST(HeadTemplate, passes_the_trace_on) {
    HeadFacts facts = some_facts();
    facts.traceparent = "00-abc-def-01";
    facts.tracestate = "a=b";

    const std::string head = render("http://h/", {}, facts);

    EXPECT_TRUE(holds(head, "traceparent: 00-abc-def-01"));
    EXPECT_TRUE(holds(head, "tracestate: a=b"));
}

TEST(HeadTemplate, lets_no_trace_smuggle_a_header_in) {
    HeadFacts facts = some_facts();
    facts.traceparent = "x\r\nEvil: 1";

    EXPECT_EQ(render("http://h/", {}, facts), render("http://h/", {}));
}

// Acceptance 26.
TEST(HeadTemplate, sends_configured_headers_as_they_are_and_in_order) {
    const std::string head = render(
        "http://h/", {{"X-Two", "one"}, {"x-lowercase", "a"}, {"X-Two", "two"}, {"X-Empty", ""}});

    EXPECT_TRUE(head.ends_with("X-Two: one\r\nx-lowercase: a\r\nX-Two: two\r\nX-Empty: \r\n\r\n"))
        << head;
}

// Acceptance 26.
TEST(HeadTemplate, lets_a_configured_header_replace_a_default_whatever_its_case) {
    const std::vector<std::string> names = {"USER-AGENT",        "content-type",    "Webhook-Id",
                                            "Webhook-Timestamp", "Fanfare-Attempt", "Traceparent",
                                            "TraceState",        "authorization"};
    HeadFacts facts = some_facts();
    facts.traceparent = "default";
    facts.tracestate = "default";

    for (const std::string& name : names) {
        std::string head = render("http://me:secret@h/", {{name, "mine"}}, facts);

        EXPECT_TRUE(holds(head, name + ": mine")) << head;
        std::transform(head.begin(), head.end(), head.begin(), ::tolower);
        std::string lower = "\n" + name + ":";
        std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
        EXPECT_EQ(head.find(lower), head.rfind(lower)) << head;
    }
}

// Acceptance 27.
TEST(HeadTemplate, sends_userinfo_as_basic_authorization) {
    const std::string head = render("http://user:pa%20ss@h/", {});

    EXPECT_TRUE(holds(head, "Authorization: Basic dXNlcjpwYSBzcw=="));
    EXPECT_TRUE(holds(head, "Host: h"));
}

// Acceptance 26.
TEST(HeadTemplate, refuses_headers_that_frame_the_message) {
    for (const char* name : {"Host", "hOST", "Content-Length", "transfer-encoding", "CONNECTION"}) {
        EXPECT_EQ(render("http://h/", {{name, "x"}}),
                  "header \"" + std::string(name) + "\" cannot be configured");
    }
}

TEST(HeadTemplate, refuses_names_that_are_no_tokens) {
    for (const char* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa9"}) {
        EXPECT_NE(render("http://h/", {{name, "x"}}).find("HTTP does not allow"), std::string::npos)
            << name;
    }
}

TEST(HeadTemplate, refuses_control_characters_in_values_without_telling_them) {
    for (const char* value : {"secret\r\nEvil: 1", "secret\n", "secret\x01", "secret\x7f"}) {
        const std::string message = render("http://h/", {{"X", value}});

        EXPECT_EQ(message, "header \"X\" has a control character in its value");
    }
    EXPECT_TRUE(holds(render("http://h/", {{"X", "a\tb \xc3\xa9"}}), "X: a\tb \xc3\xa9"));
}

}  // namespace
}  // namespace fanfare
