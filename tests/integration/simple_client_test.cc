#include "http/simple_client.h"

#include <gtest/gtest.h>

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
using test::Recorded;
using test::Reply;

SimpleRequest get(const std::string& url) {
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
        return Reply::status(202, "X-One: 1\r\nX-Two: 2\r\n", "{\"accepted\":1}");
    });
    SimpleRequest request = get(imposter.url("/events?a=b"));
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

    const Result<SimpleResponse> response = fetch(get(imposter.url()));

    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 503);
}

TEST(SimpleClient, reads_large_answers_up_to_its_bound) {
    const std::string body(5 * 1024 * 1024, 'x');
    Imposter imposter([&](const Recorded&, std::size_t) { return Reply::status(200, "", body); });
    SimpleRequest request = get(imposter.url());

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
    SimpleRequest request = get(imposter.url());

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

    const Result<SimpleResponse> root = fetch(get("unix:" + path));
    const Result<SimpleResponse> ready = fetch(get("unix:" + path + ":/readyz"));
    server.join();

    ASSERT_TRUE(root.has_value() && ready.has_value());
    EXPECT_EQ(ready->status, 204);
    EXPECT_TRUE(received.starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n")) << received;
    EXPECT_NE(received.find("GET /readyz HTTP/1.1\r\n"), std::string::npos) << received;
}

TEST(SimpleClient, says_whom_it_could_not_reach_and_why) {
    const std::uint16_t port = Imposter().port();
    const std::string url = "http://me:secret@127.0.0.1:" + std::to_string(port) + "/x?token=y";

    EXPECT_EQ(problem(get(url)),
              "http://127.0.0.1:" + std::to_string(port) + "/x: Connection refused");
    EXPECT_EQ(problem(get("unix:/nonexistent/socket:/x")),
              "unix:/nonexistent/socket: No such file or directory");
    EXPECT_NE(problem(get("nonsense")), "");
    EXPECT_NE(problem(get("unix:")), "");
    EXPECT_NE(problem(get("unix:/" + std::string(200, 'x'))), "");
}

TEST(SimpleClient, says_what_is_wrong_with_an_answer) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number == 0
                   ? Reply::close()
                   : Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx").then_close();
    });

    EXPECT_NE(problem(get(imposter.url())), "");
    EXPECT_NE(problem(get(imposter.url())), "");
}

TEST(SimpleClient, gives_up_in_time) {
    Imposter imposter([](const Recorded&, std::size_t) { return Reply::hang(); });
    SimpleRequest request = get(imposter.url());
    request.timeout = 100ms;

    EXPECT_NE(problem(request).find("no answer in time"), std::string::npos);
}

}  // namespace
}  // namespace fanfare
