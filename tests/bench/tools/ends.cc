#include "tools/ends.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace bench {

namespace {

constexpr std::string_view id_start = "5eed0000-0000-4000-8000-";
constexpr std::size_t digits = 12;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void no_delay(int descriptor) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Reads what is there; false at the connection's end.
bool read_some(int descriptor, std::string& input) {
    std::array<char, 16384> buffer;
    const ssize_t got = recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) input.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void write_all(int descriptor, std::string_view data) {
    const ssize_t sent = ::send(descriptor, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(data.size())) fail("send");
}

/// The length of the message at the front, head and body; nothing if it is not all there.
std::optional<std::size_t> message_size(std::string_view input) {
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return std::nullopt;
    constexpr std::string_view field = "\r\nContent-Length: ";
    std::size_t body_size = 0;
    for (std::size_t at = input.find("\r\n"); at < head_end; at = input.find("\r\n", at + 2)) {
        if (strncasecmp(input.data() + at, field.data(), field.size()) != 0) continue;
        const char* value = input.data() + at + field.size();
        std::from_chars(value, input.data() + head_end, body_size);
    }
    const std::size_t size = head_end + 4 + body_size;
    return input.size() < size ? std::nullopt : std::optional(size);
}

std::uint64_t number_in(std::string_view message) {
    const std::size_t at = message.find(id_start);
    if (at == std::string_view::npos || at + id_start.size() + digits > message.size()) {
        throw std::runtime_error("a delivery without our id");
    }
    const char* begin = message.data() + at + id_start.size();
    std::uint64_t number = 0;
    std::from_chars(begin, begin + digits, number);
    return number;
}

}  // namespace

Nanoseconds now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) fail("epoll_create1");
}

Poller::~Poller() { close(epoll_); }

void Poller::watch(int descriptor, std::function<void()> readable) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
    readable_[descriptor] = std::move(readable);
}

void Poller::turn(int timeout_ms) {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) readable_.at(events[static_cast<std::size_t>(i)].data.fd)();
    for (const int descriptor : forgotten_) {
        readable_.erase(descriptor);
        close(descriptor);
    }
    forgotten_.clear();
}

std::uint64_t Book::open(Nanoseconds due) {
    entries_.push_back({.due = due, .written = now_ns()});
    return entries_.size() - 1;
}

void Book::answered(std::uint64_t number, int status) {
    entries_.at(number).answered = now_ns();
    if (status == 202) {
        ++accepted_;
    } else if (status == 503) {
        ++refused_;
    } else {
        throw std::runtime_error("ingest answered " + std::to_string(status));
    }
}

void Book::arrived(std::uint64_t number) {
    Entry& entry = entries_.at(number);
    if (entry.delivered != 0) {
        ++duplicates_;
        return;
    }
    entry.delivered = now_ns();
    ++delivered_;
}

Source::Source(Poller& poller, Book& book, const std::string& body) : poller_(poller), book_(book) {
    request_ =
        "POST /events HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/vnd.docker.distribution.events.v1+json\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    const std::size_t at = request_.find(id_start);
    if (at == std::string::npos) throw std::runtime_error("the body lacks our id");
    number_at_ = at + id_start.size();
}

Source::~Source() {
    for (const auto& connection : connections_) close(connection->descriptor);
}

void Source::connect(int port, int connections) {
    const sockaddr_in address = loopback(port);
    for (int i = 0; i < connections; ++i) {
        auto connection = std::make_unique<Connection>();
        connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(connection->descriptor, generic, sizeof address) != 0) fail("connect");
        no_delay(connection->descriptor);
        poller_.watch(connection->descriptor, [this, one = connection.get()] { read(*one); });
        idle_.push_back(connection.get());
        connections_.push_back(std::move(connection));
    }
}

void Source::send(Nanoseconds due) {
    Connection* connection = idle_.back();
    idle_.pop_back();
    connection->number = book_.open(due);
    std::string text = std::to_string(connection->number);
    text.insert(0, digits - text.size(), '0');
    request_.replace(number_at_, digits, text);
    write_all(connection->descriptor, request_);
}

void Source::read(Connection& connection) {
    if (!read_some(connection.descriptor, connection.input)) {
        throw std::runtime_error("ingest closed a connection");
    }
    const std::optional<std::size_t> size = message_size(connection.input);
    if (!size) return;
    constexpr std::size_t status_at = std::string_view("HTTP/1.1 ").size();
    book_.answered(connection.number, std::stoi(connection.input.substr(status_at, 3)));
    connection.input.erase(0, *size);
    idle_.push_back(&connection);
}

Receiver::Receiver(Poller& poller, Book& book, int port)
    : poller_(poller), book_(book), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(listener_, generic, sizeof address) != 0) fail("bind");
    if (listen(listener_, 1024) != 0) fail("listen");
    poller_.watch(listener_, [this] { accept(); });
}

Receiver::~Receiver() {
    for (const auto& [descriptor, input] : inputs_) close(descriptor);
    close(listener_);
}

void Receiver::accept() {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) fail("accept");
    no_delay(descriptor);
    inputs_[descriptor];
    poller_.watch(descriptor, [this, descriptor] { read(descriptor); });
}

void Receiver::read(int descriptor) {
    std::string& input = inputs_.at(descriptor);
    if (!read_some(descriptor, input)) {
        inputs_.erase(descriptor);
        poller_.forget(descriptor);
        return;
    }
    while (take_one(descriptor, input)) {
    }
}

bool Receiver::take_one(int descriptor, std::string& input) {
    const std::optional<std::size_t> size = message_size(input);
    if (!size) return false;
    book_.arrived(number_in(std::string_view(input).substr(0, *size)));
    input.erase(0, *size);
    write_all(descriptor, "HTTP/1.1 204 No Content\r\n\r\n");
    return true;
}

}  // namespace bench
