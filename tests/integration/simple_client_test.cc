#include "http/simple_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "support/imposter.h"
#include "support/test_ca.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Imposter;
using test::ImposterReply;
using test::Recorded;

SimpleRequest request_of(const std::string& url) {
    SimpleRequest request;
    request.url = url;
    return request;
}

std::string problem(const SimpleRequest& request) {
    const Result<SimpleResponse> response = fetch(request);
    return response.has_error() ? response.error().message() : "";
}

TEST(SimpleClient, makes_a_request_and_tells_the_answer) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::status(202, "X-One: 1\r\nX-Two: 2\r\n", "{\"accepted\":1}");
    });
    SimpleRequest request = request_of(imposter.url("/events?a=b"));
    request.method = "POST";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = "{}";
    request.wanted_headers = {"x-two", "x-three"};

    const Result<SimpleResponse> response = fetch(request);

    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->status, 202);
    EXPECT_EQ(response->body, "{\"accepted\":1}");
    EXPECT_EQ(response->headers, (SimpleRequest::Headers{{"x-two", "2"}}));
    const Recorded received = imposter.requests().at(0);
    EXPECT_TRUE(received.head.starts_with("POST /events?a=b HTTP/1.1\r\n")) << received.head;
    EXPECT_EQ(received.header("Content-Type"), "application/json");
    EXPECT_EQ(received.body, "{}");
}

TEST(SimpleClient, takes_any_status_for_an_answer) {
    Imposter imposter(Imposter::always(503));

    const Result<SimpleResponse> response = fetch(request_of(imposter.url()));

    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 503);
}

TEST(SimpleClient, reads_large_answers_up_to_its_bound) {
    const std::string body(5 * 1024 * 1024, 'x');
    Imposter imposter(
        [&](const Recorded&, std::size_t) { return ImposterReply::status(200, "", body); });
    SimpleRequest request = request_of(imposter.url());

    EXPECT_EQ(fetch(request)->body, body);
    request.body_bytes_max = body.size() - 1;
    EXPECT_NE(problem(request).find("too long"), std::string::npos);
}

TEST(SimpleClient, speaks_tls) {
    test::TestCa ca;
    const test::CertificateFiles files = ca.issue();
    test::RawTls::Options options;
    options.cert_file = files.cert_file;
    options.key_file = files.key_file;
    Imposter imposter(Imposter::always(200), std::make_unique<test::RawTls>(options));
    SimpleRequest request = request_of(imposter.url());

    EXPECT_NE(problem(request).find("certificate refused"), std::string::npos);
    request.tls.ca_file = ca.ca_file();
    EXPECT_EQ(problem(request), "");
}

TEST(SimpleClient, speaks_to_unix_sockets) {
    const test::TmpDir folder;
    const std::string path = folder.path() / "socket";
    net::io_context context;
    net::local::stream_protocol::acceptor acceptor(context, path);
    std::string received;
    std::thread server([&] {
        for (int i = 0; i < 2; ++i) {
            net::local::stream_protocol::socket socket = acceptor.accept();
            std::string request;
            net::read_until(socket, net::dynamic_buffer(request), "\r\n\r\n");
            received += request;
            net::write(socket, net::buffer("HTTP/1.1 204 No Content\r\n\r\n", 27));
        }
    });

    const Result<SimpleResponse> root = fetch(request_of("unix:" + path));
    const Result<SimpleResponse> ready = fetch(request_of("unix:" + path + ":/readyz"));
    server.join();

    ASSERT_TRUE(root.has_value() && ready.has_value());
    EXPECT_EQ(ready->status, 204);
    EXPECT_TRUE(received.starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n")) << received;
    EXPECT_NE(received.find("GET /readyz HTTP/1.1\r\n"), std::string::npos) << received;
}

TEST(SimpleClient, says_whom_it_could_not_reach_and_why) {
    const std::uint16_t port = Imposter().port();
    const std::string url = "http://me:secret@127.0.0.1:" + std::to_string(port) + "/x?token=y";

    EXPECT_EQ(problem(request_of(url)),
              "http://127.0.0.1:" + std::to_string(port) + "/x: Connection refused");
    EXPECT_EQ(problem(request_of("unix:/nonexistent/socket:/x")),
              "unix:/nonexistent/socket: No such file or directory");
    EXPECT_NE(problem(request_of("nonsense")), "");
    EXPECT_NE(problem(request_of("unix:")), "");
    EXPECT_NE(problem(request_of("unix:/" + std::string(200, 'x'))), "");
}

TEST(SimpleClient, says_what_is_wrong_with_an_answer) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number == 0 ? ImposterReply::close()
                           : ImposterReply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
                                 .then_close();
    });

    EXPECT_NE(problem(request_of(imposter.url())), "");
    EXPECT_NE(problem(request_of(imposter.url())), "");
}

TEST(SimpleClient, gives_up_in_time) {
    Imposter imposter([](const Recorded&, std::size_t) { return ImposterReply::hang(); });
    SimpleRequest request = request_of(imposter.url());
    request.timeout = 100ms;

    EXPECT_NE(problem(request).find("no answer in time"), std::string::npos);
}

/// A descriptor that can be read once stop() has been called.
class StopPipe {
  public:
    StopPipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
    ~StopPipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int descriptor() const { return ends_[0]; }
    void stop() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }

  private:
    std::array<int, 2> ends_{};
};

constexpr const char* chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Keeps what it gets, and has enough after `enough` bytes.
BodyReader reading_into(std::string& body, std::size_t enough = 1000) {
    BodyReader reader;
    reader.take = [&body, enough](std::string_view piece) {
        body += piece;
        return body.size() < enough;
    };
    return reader;
}

std::string stream_problem(const SimpleRequest& request, const BodyReader& reader) {
    const Result<SimpleResponse> response = fetch_stream(request, reader);
    return response.has_error() ? response.error().message() : "";
}

TEST(SimpleClient, ends_a_request_when_asked_to) {
    Imposter imposter([](const Recorded&, std::size_t) { return ImposterReply::hang(); });
    const StopPipe pipe;
    SimpleRequest request = request_of(imposter.url());
    request.stop_descriptor = pipe.descriptor();
    pipe.stop();

    EXPECT_NE(problem(request).find("interrupted"), std::string::npos);
}

TEST(SimpleClient, is_not_disturbed_by_a_descriptor_that_stays_quiet) {
    Imposter imposter(Imposter::always(204));
    const StopPipe pipe;
    SimpleRequest request = request_of(imposter.url());
    request.stop_descriptor = pipe.descriptor();

    EXPECT_EQ(fetch(request)->status, 204);
    EXPECT_EQ(fetch(request)->status, 204);
}

TEST(StreamClient, hands_a_body_over_instead_of_keeping_it) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(std::string(chunked_head) + "5\r\nhello\r\n2\r\n, \r\n0\r\n\r\n");
    });
    std::string body;

    const Result<SimpleResponse> response =
        fetch_stream(request_of(imposter.url()), reading_into(body));

    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(body, "hello, ");
    EXPECT_EQ(response->body, "");
}

TEST(StreamClient, ends_when_its_reader_has_enough) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(std::string(chunked_head) + "5\r\nhello\r\n").then_hang();
    });
    std::string body;

    const Result<SimpleResponse> response =
        fetch_stream(request_of(imposter.url()), reading_into(body, 5));

    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(body, "hello");
}

TEST(StreamClient, keeps_the_body_of_a_refusal) {
    Imposter imposter(
        [](const Recorded&, std::size_t) { return ImposterReply::status(503, "", "busy"); });
    std::string body;

    const Result<SimpleResponse> response =
        fetch_stream(request_of(imposter.url()), reading_into(body));

    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(response->body, "busy");
    EXPECT_EQ(body, "");
}

TEST(StreamClient, says_that_a_connection_was_cut_after_what_came) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(std::string(chunked_head) + "5\r\nhello\r\n").then_close();
    });
    std::string body;

    EXPECT_NE(stream_problem(request_of(imposter.url()), reading_into(body)), "");
    EXPECT_EQ(body, "hello");
}

TEST(StreamClient, gives_up_when_no_head_comes_and_when_nothing_more_comes) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number == 0 ? ImposterReply::hang() : ImposterReply::raw(chunked_head).then_hang();
    });
    std::string body;
    SimpleRequest request = request_of(imposter.url());
    request.timeout = 100ms;
    BodyReader reader = reading_into(body);
    reader.quiet_max = 100ms;

    EXPECT_NE(stream_problem(request, reader).find("no answer in time"), std::string::npos);
    EXPECT_NE(stream_problem(request, reader).find("nothing came for too long"), std::string::npos);
}

TEST(StreamClient, ends_when_asked_to_amid_a_stream) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(std::string(chunked_head) + "5\r\nhello\r\n").then_hang();
    });
    const StopPipe pipe;
    SimpleRequest request = request_of(imposter.url());
    request.stop_descriptor = pipe.descriptor();
    BodyReader reader;
    reader.take = [&pipe](std::string_view) {
        pipe.stop();
        return true;
    };

    EXPECT_NE(stream_problem(request, reader).find("interrupted"), std::string::npos);
}

TEST(StreamClient, bounds_the_body_of_a_refusal) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(
                   "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            .then_hang();
    });
    std::string body;
    SimpleRequest request = request_of(imposter.url());
    request.body_bytes_max = 4;

    EXPECT_NE(stream_problem(request, reading_into(body)).find("too long"), std::string::npos);
}

}  // namespace
}  // namespace fanfare
