#include "server/answer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fanfare {
namespace {

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(DateText, is_the_form_that_http_wants) {
    DateText date;

    EXPECT_EQ(date.at(at(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(date.at(at(784111777) + std::chrono::milliseconds(999)),
              "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(date.at(at(784111778)), "Sun, 06 Nov 1994 08:49:38 GMT");
    EXPECT_EQ(date.at(at(1709164800)), "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(AnswerHead, holds_what_every_answer_has) {
    Response response;
    response.status = 202;
    response.body = "{}";
    response.headers.emplace_back("X-A", "b");
    AnswerForm form;
    form.date = "D";
    std::string head = "what was there before";

    render_answer_head(response, form, head);

    EXPECT_EQ(head,
              "HTTP/1.1 202 Accepted\r\nServer: fanfare\r\nDate: D\r\n"
              "Content-Type: application/json\r\nContent-Length: 2\r\nX-A: b\r\n\r\n");
}

TEST(AnswerHead, says_how_the_connection_goes_on) {
    const Response response;
    AnswerForm form;
    std::string head;

    form.keep_alive = false;
    render_answer_head(response, form, head);
    EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos);

    form.keep_alive = true;
    form.version = 10;
    render_answer_head(response, form, head);
    EXPECT_NE(head.find("Connection: keep-alive\r\n"), std::string::npos);
}

TEST(AnswerHead, announces_no_body_where_there_cannot_be_one) {
    Response response;
    response.status = 204;
    std::string head;

    render_answer_head(response, AnswerForm(), head);

    EXPECT_EQ(head.find("Content-"), std::string::npos);
}

TEST(ErrorResponse, has_the_form_of_the_registry) {
    const Response response =
        error_response(400, "BODY_INVALID", "not \"JSON\"", R"({"offset":3})");

    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.body, R"({"errors":[{"code":"BODY_INVALID","message":"not \"JSON\"",)"
                             R"("detail":{"offset":3}}]})");
    EXPECT_FALSE(response.close);
}

TEST(ErrorResponse, is_json_whatever_the_message_holds) {
    const Response response = error_response(404, "NAME_UNKNOWN", "no \xff\n");

    EXPECT_TRUE(nlohmann::json::accept(response.body));
    EXPECT_EQ(response.body.find("detail"), std::string::npos);
}

}  // namespace
}  // namespace fanfare
