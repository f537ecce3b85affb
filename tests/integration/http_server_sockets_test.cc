// Where an HttpServer listens: IPv4, IPv6, unix sockets, TLS.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/certificate.h"
#include "support/running_server.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::get_request;
using test::RawClient;
using test::RunningServer;
using test::TmpDir;

std::string ask(RawClient& client, const std::string& target) {
    client.send(get_request(target));
    return client.read_answer().body;
}

/// What bind() says to `listen`; empty if it can.
std::string bind_error(std::vector<std::string> listen) {
    test::Loops loops(1);
    test::TargetHandler handler(loops.clock());
    HttpServer server("test", loops.shards(), RunningServer::options_on(std::move(listen)),
                      handler);
    const Result<void> bound = server.bind();
    return bound.has_error() ? bound.error().message() : "";
}

TEST(HttpServerSockets, tell_their_real_ports) {
    RunningServer server(RunningServer::options_on({"127.0.0.1:0", "[::1]:0", "localhost:0"}));

    const std::vector<std::string> addresses = server.server().addresses();

    ASSERT_EQ(addresses.size(), 3U);
    EXPECT_TRUE(addresses[0].starts_with("127.0.0.1:"));
    EXPECT_TRUE(addresses[1].starts_with("[::1]:"));
    EXPECT_TRUE(addresses[2].starts_with("127.0.0.1:"));
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        EXPECT_FALSE(addresses[i].ends_with(":0"));
        RawClient client = server.connect(i);
        EXPECT_EQ(ask(client, "/local"), "local");
        EXPECT_TRUE(ask(client, "/peer").starts_with(i == 1 ? "[::1]:" : "127.0.0.1:"));
    }
}

TEST(HttpServerSockets, take_a_mapped_ipv4_peer_for_what_it_is) {
    RunningServer server(RunningServer::options_on({"[::]:0"}));
    const std::string address = server.server().addresses().at(0);

    RawClient client("127.0.0.1" + address.substr(address.rfind(':')));

    EXPECT_EQ(ask(client, "/local"), "local");
    EXPECT_TRUE(ask(client, "/peer").starts_with("127.0.0.1:"));
}

TEST(HttpServerSockets, share_a_port_between_both_wildcards) {
    RunningServer first(RunningServer::options_on({"0.0.0.0:0"}));
    const std::string address = first.server().addresses().at(0);
    const std::string port = address.substr(address.rfind(':'));
    first.stop(1s).wait();

    EXPECT_EQ(bind_error({"0.0.0.0" + port, "[::]" + port}), "");
}

TEST(HttpServerSockets, are_refused_with_the_address_and_the_cause) {
    RunningServer server;
    const std::string taken = server.server().addresses().at(0);

    EXPECT_EQ(bind_error({taken}), "cannot listen on " + taken + ": Address already in use");
    for (const char* bad : {"8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "::1:80",
                            "127.0.0.1:65536", "[::1]", "unix:"}) {
        EXPECT_NE(bind_error({bad}).find(std::string("cannot listen on ") + bad + ": "),
                  std::string::npos)
            << bad;
    }
}

TEST(HttpServerSockets, can_be_used_again_at_once) {
    std::string address;
    {
        RunningServer server;
        address = server.server().addresses().at(0);
        RawClient client = server.connect();
        client.send(get_request("/close"));
        EXPECT_EQ(client.read_answer().status, 200);
        EXPECT_EQ(client.read_to_end(), "");
    }
    EXPECT_EQ(bind_error({address}), "");
}

TEST(HttpServerUnixSocket, serves_and_is_removed_at_stop) {
    const TmpDir folder;
    const std::string path = folder.path() / "socket";
    {
        RunningServer server(RunningServer::options_on({"unix:" + path}));
        EXPECT_EQ(server.server().addresses().at(0), "unix:" + path);
        RawClient client = server.connect();

        EXPECT_EQ(ask(client, "/peer"), "unix");
        EXPECT_EQ(ask(client, "/local"), "local");
        struct stat status {};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0660U);
        server.stop(1s).wait();
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    EXPECT_EQ(bind_error({"unix:" + path}), "");
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(HttpServerUnixSocket, replaces_a_stale_file_and_refuses_a_live_one) {
    const TmpDir folder;
    const std::string path = folder.path() / "socket";
    const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ::close(stale);

    RunningServer server(RunningServer::options_on({"unix:" + path}));
    EXPECT_NE(bind_error({"unix:" + path}).find("another process listens there"),
              std::string::npos);
    RawClient client = server.connect();
    EXPECT_EQ(ask(client, "/peer"), "unix");
}

TEST(HttpServerUnixSocket, leaves_other_files_alone) {
    const TmpDir folder;
    const std::string path = folder.path() / "file";
    std::ofstream(path) << "precious";

    EXPECT_NE(bind_error({"unix:" + path}).find("no socket"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_NE(bind_error({"unix:" + std::string(200, 'x')}).find("too long"), std::string::npos);
}

TEST(HttpServerUnixSocket, does_not_remove_a_file_that_has_taken_its_place) {
    const TmpDir folder;
    const std::string path = folder.path() / "socket";
    RunningServer server(RunningServer::options_on({"unix:" + path}));
    std::filesystem::remove(path);
    std::ofstream(path) << "another's";

    server.stop(1s).wait();

    EXPECT_TRUE(std::filesystem::exists(path));
}

class HttpServerTls : public testing::Test {
  protected:
    ListenerOptions options() const {
        ListenerOptions options = RunningServer::options_on({"127.0.0.1:0"});
        options.tls.cert_file = certificate_.cert_file();
        options.tls.key_file = certificate_.key_file();
        return options;
    }

    TmpDir folder_;
    test::Certificate certificate_{folder_.path()};
};

TEST_F(HttpServerTls, serves_http_1_1_whatever_else_is_offered) {
    RunningServer server(options(), 2);
    RawClient client = server.connect();

    EXPECT_EQ(client.start_tls(), "http/1.1");

    EXPECT_EQ(ask(client, "/echo"), "GET /echo ");
    const std::string body(200'000, 'b');
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + body);
    EXPECT_EQ(client.read_answer().body, "POST /echo " + body);
    client.send(get_request("/close"));
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(HttpServerTls, tells_a_slow_client_so) {
    ListenerOptions slow = options();
    slow.header_timeout = 100ms;
    RunningServer server(slow);
    RawClient client = server.connect();
    client.start_tls();

    client.send("GET /e");

    EXPECT_EQ(client.read_answer().status, 408);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(HttpServerTls, does_not_wait_for_a_handshake_for_ever) {
    ListenerOptions slow = options();
    slow.header_timeout = 50ms;
    RunningServer server(slow);
    RawClient client = server.connect();

    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST_F(HttpServerTls, ends_the_connection_of_a_client_that_speaks_plain_http) {
    RunningServer server(options());
    RawClient plain = server.connect();

    plain.send(get_request("/echo"));

    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
    EXPECT_EQ(server.handler().answered(), 0);
}

TEST_F(HttpServerTls, stops_with_handshakes_and_idle_connections_under_way) {
    RunningServer server(options(), 2);
    RawClient silent = server.connect();
    RawClient idle = server.connect();
    idle.start_tls();
    ASSERT_TRUE(eventually([&] { return server.connections() == 2; }));
    const auto begin = std::chrono::steady_clock::now();

    server.stop(10s).wait();

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(server.connections(), 0U);
}

TEST_F(HttpServerTls, is_refused_without_a_usable_certificate) {
    test::Loops loops(1);
    test::TargetHandler handler(loops.clock());
    ListenerOptions broken = options();
    broken.tls.cert_file = folder_.path() / "missing.pem";
    HttpServer server("test", loops.shards(), broken, handler);

    EXPECT_TRUE(server.bind().has_error());
}

}  // namespace
}  // namespace fanfare
