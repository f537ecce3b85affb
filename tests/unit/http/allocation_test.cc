// The hot path takes no memory per message, but for a body that is handed out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "http/http_parser.h"

namespace {
thread_local std::size_t allocations = 0;
}

// These count for the whole executable.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace fanfare {
namespace {

void take(RequestParser& parser, std::string_view bytes) {
    while (!bytes.empty()) bytes.remove_prefix(parser.feed(bytes));
    ASSERT_TRUE(parser.is_done());
}

TEST(Allocations, are_not_made_for_a_request_like_the_one_before_but_for_its_body) {
    constexpr std::string_view bytes =
        "POST /events HTTP/1.1\r\nHost: registry.example.com:8080\r\nContent-Length: 3\r\n"
        "Content-Type: application/vnd.docker.distribution.events.v1+json\r\n\r\nabc";
    RequestParser parser({});
    take(parser, bytes);
    parser.take_body();
    parser.next();

    const std::size_t before = allocations;
    take(parser, bytes);
    const std::size_t with_body = allocations;
    EXPECT_EQ(parser.take_body(), "abc");
    parser.next();

    EXPECT_EQ(with_body - before, 1U);
    EXPECT_EQ(allocations, with_body);
}

TEST(Allocations, are_not_made_for_a_chunked_request_whose_body_is_dropped) {
    constexpr std::string_view head =
        "POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    constexpr std::string_view body = "3\r\nabc\r\n0\r\n\r\n";
    RequestParser parser({});
    std::size_t before = 0;
    for (int round = 0; round < 2; ++round) {
        before = allocations;
        parser.feed(head);
        parser.discard_body();
        take(parser, body);
        parser.next();
    }

    EXPECT_EQ(allocations, before);
}

TEST(Allocations, are_made_anew_behind_a_head_that_was_larger_than_usual) {
    std::string large = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 1000; ++i) large += "X-Name: v\r\n";
    RequestParser parser({});
    take(parser, large + "\r\n");
    parser.next();

    const std::size_t before = allocations;
    take(parser, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

    EXPECT_GE(allocations - before, 3U);  // for the text, where its fields are, and what they say
}

TEST(Allocations, are_not_made_for_an_answer_like_the_one_before) {
    for (const std::string_view bytes :
         {std::string_view("HTTP/1.1 204 No Content\r\nServer: nginx/1.22.1\r\n"
                           "Date: Fri, 01 Aug 2025 10:00:00 GMT\r\nConnection: keep-alive\r\n\r\n"),
          std::string_view("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n0\r\n\r\n")}) {
        ResponseParser parser;
        parser.feed(bytes);
        const std::size_t before = allocations;

        parser.reset();
        parser.feed(bytes);

        EXPECT_EQ(allocations, before);
        EXPECT_TRUE(parser.is_done());
    }
}

}  // namespace
}  // namespace fanfare
