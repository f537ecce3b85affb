#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::test {

/// An answer as it came off the wire.
struct RawAnswer {
    int status = 0;
    std::map<std::string, std::string> fields;  ///< names in lower case; the last one counts
    std::string body;
    std::string head;

    std::string field(const std::string& name) const {
        const auto found = fields.find(name);
        return found == fields.end() ? "" : found->second;
    }
};

inline std::string get_request(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

/// A blocking socket for tests. Every wait ends after `patience` with an exception.
class RawClient {
  public:
    static constexpr std::chrono::seconds patience{10};

    /// `address` as HttpServer::addresses() says it. With `receive_bytes` the client's receive
    /// buffer is that small.
    explicit RawClient(const std::string& address, int receive_bytes = 0) {
        if (address.starts_with("unix:")) {
            connect_unix(address.substr(5));
        } else {
            connect_tcp(address, receive_bytes);
        }
    }
    RawClient(RawClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          context_(std::move(other.context_)),
          tls_(std::move(other.tls_)),
          unread_(std::move(other.unread_)) {}
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient() {
        tls_.reset();
        if (socket_ >= 0) ::close(socket_);
    }

    /// Goes on in TLS, trusting everybody. Returns the protocol that ALPN chose.
    std::string start_tls() {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        tls_.reset(SSL_new(context_.get()));
        const unsigned char offer[] = "\x02h2\x08http/1.1";
        SSL_set_alpn_protos(tls_.get(), offer, sizeof offer - 1);
        SSL_set_fd(tls_.get(), socket_);
        set_receive_timeout();
        if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("TLS handshake failed");
        const unsigned char* chosen = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(tls_.get(), &chosen, &size);
        return {reinterpret_cast<const char*>(chosen), size};
    }

    void send(std::string_view bytes) {
        if (!try_send(bytes)) throw std::runtime_error("cannot send");
    }

    /// False if the peer has ended the connection.
    bool try_send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto size = static_cast<int>(bytes.size());
            const ssize_t sent = tls_ ? SSL_write(tls_.get(), bytes.data(), size)
                                      : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void send_slowly(std::string_view bytes) {
        for (const char byte : bytes) send({&byte, 1});
    }

    void end_sending() { ::shutdown(socket_, SHUT_WR); }

    /// The next answer; its body is as long as Content-Length says, and empty to a HEAD.
    RawAnswer read_answer(bool is_to_head = false) {
        while (unread_.find("\r\n\r\n") == std::string::npos) {
            if (!read_more()) throw std::runtime_error("connection ended before an answer");
        }
        RawAnswer answer = take_head();
        const std::string length = answer.field("content-length");
        const std::size_t size = is_to_head || length.empty() ? 0 : std::stoul(length);
        while (unread_.size() < size) {
            if (!read_more()) throw std::runtime_error("connection ended inside an answer");
        }
        answer.body = unread_.substr(0, size);
        unread_.erase(0, size);
        return answer;
    }

    /// All that comes until the peer ends the connection. A reset is an error.
    std::string read_to_end() {
        while (read_more()) {
        }
        return std::exchange(unread_, {});
    }

    /// Whether nothing comes for `time` and the connection stays open.
    bool is_quiet_for(std::chrono::milliseconds time) const {
        pollfd wanted{socket_, POLLIN, 0};
        return unread_.empty() && ::poll(&wanted, 1, static_cast<int>(time.count())) == 0;
    }

    /// Closes with a reset instead of an orderly end.
    void reset() {
        const linger hard{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ::close(std::exchange(socket_, -1));
    }

  private:
    void connect_tcp(const std::string& address, int receive_bytes) {
        const std::size_t colon = address.rfind(':');
        const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
        std::string host = address.substr(0, colon);
        sockaddr_storage storage{};
        socklen_t size = 0;
        if (host.starts_with('[')) {
            auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(port);
            ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6->sin6_addr);
            size = sizeof *v6;
        } else {
            auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
            v4->sin_family = AF_INET;
            v4->sin_port = htons(port);
            ::inet_pton(AF_INET, host.c_str(), &v4->sin_addr);
            size = sizeof *v4;
        }
        connect(reinterpret_cast<sockaddr*>(&storage), size, receive_bytes);
    }

    void connect_unix(const std::string& path) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
        connect(reinterpret_cast<sockaddr*>(&name), sizeof name, 0);
    }

    void connect(const sockaddr* address, socklen_t size, int receive_bytes) {
        socket_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (socket_ < 0) throw std::runtime_error("cannot make a socket");
        if (receive_bytes > 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        }
        if (::connect(socket_, address, size) != 0) {
            ::close(std::exchange(socket_, -1));
            throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
        }
    }

    void set_receive_timeout() {
        const timeval timeout{patience.count(), 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    }

    /// False at the orderly end.
    bool read_more() {
        char buffer[16384];
        ssize_t got = 0;
        if (tls_) {
            got = SSL_read(tls_.get(), buffer, sizeof buffer);
            if (got <= 0 &&
                SSL_get_error(tls_.get(), static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN) {
                return false;
            }
        } else {
            pollfd wanted{socket_, POLLIN, 0};
            const auto wait = std::chrono::milliseconds(patience).count();
            if (::poll(&wanted, 1, static_cast<int>(wait)) == 0) {
                throw std::runtime_error("nothing came in time");
            }
            got = ::recv(socket_, buffer, sizeof buffer, 0);
            if (got == 0) return false;
        }
        if (got < 0) throw std::runtime_error(std::string("cannot read: ") + std::strerror(errno));
        unread_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    RawAnswer take_head() {
        RawAnswer answer;
        const std::size_t end = unread_.find("\r\n\r\n");
        answer.head = unread_.substr(0, end + 4);
        unread_.erase(0, end + 4);
        answer.status = std::stoi(answer.head.substr(answer.head.find(' ') + 1, 3));
        std::size_t begin = answer.head.find("\r\n") + 2;
        while (answer.head.compare(begin, 2, "\r\n") != 0) {
            const std::size_t line_end = answer.head.find("\r\n", begin);
            const std::size_t colon = answer.head.find(": ", begin);
            std::string name = answer.head.substr(begin, colon - begin);
            for (char& c : name) c = static_cast<char>(std::tolower(c));
            answer.fields[name] = answer.head.substr(colon + 2, line_end - colon - 2);
            begin = line_end + 2;
        }
        return answer;
    }

    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
        void operator()(SSL* tls) const { SSL_free(tls); }
    };

    int socket_ = -1;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> tls_;
    std::string unread_;
};

}  // namespace fanfare::test
