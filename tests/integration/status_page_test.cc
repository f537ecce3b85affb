// The status page as it is served; what it does is shown by tests/browser.
#include "server/admin/status_page.h"

#include <gtest/gtest.h>

#include <regex>

#include "support/admin_listener.h"

namespace fanfare {
namespace {

using test::get;

using StatusPageRoute = test::AdminListener;

std::ptrdiff_t matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    return std::distance(std::sregex_iterator(text.begin(), text.end(), regex), {});
}

TEST_F(StatusPageRoute, serves_the_page_with_a_policy_that_lets_nothing_else_run) {
    start();

    const test::RawAnswer answer = ask(get("/"));

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(answer.field("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.field("referrer-policy"), "no-referrer");
    EXPECT_EQ(answer.field("cache-control"), "no-store");
    const std::string policy(answer.field("content-security-policy"));
    EXPECT_EQ(policy.find("default-src 'none'; script-src 'sha256-"), 0U) << policy;
    for (const char* part : {"; style-src 'sha256-", "; connect-src 'self';", "; base-uri 'none';",
                             "; form-action 'none';", "; frame-ancestors 'none';"}) {
        EXPECT_NE(policy.find(part), std::string::npos) << part;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(answer.body.find("<!doctype html>"), 0U);
}

TEST_F(StatusPageRoute, answers_whatever_a_bookmark_adds_and_only_to_get) {
    start();

    EXPECT_EQ(ask(get("/?from=bookmark")).status, 200);
    EXPECT_EQ(ask(get("/", "HEAD"), true).status, 200);
    EXPECT_EQ(ask(test::post("/", "")).status, 405);
}

TEST(StatusPage, is_small_and_in_one_piece) {
    const StatusPage page;

    EXPECT_LE(page.text().size(), 200U * 1024U);
    EXPECT_EQ(matches(page.text(), "</?script>"), 2);
    EXPECT_EQ(matches(page.text(), "</?style>"), 2);
    EXPECT_EQ(matches(page.text(), "<!--"), 0);
}

TEST(StatusPage, needs_nothing_that_its_policy_forbids) {
    const StatusPage page;

    EXPECT_EQ(matches(page.text(), "<[^>]* (style|on[a-z]+)="), 0) << "inline style or handler";
    EXPECT_EQ(matches(page.text(), "innerHTML|outerHTML|insertAdjacentHTML|document.write|eval"), 0)
        << "data could become markup";
    // SVG's namespace is a name, and nothing is fetched from there.
    EXPECT_EQ(matches(page.text(), "https?://"), matches(page.text(), "http://www.w3.org/2000/svg"))
        << "something from elsewhere";
}

}  // namespace
}  // namespace fanfare
