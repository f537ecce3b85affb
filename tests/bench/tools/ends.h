#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bench {

using Nanoseconds = std::int64_t;

/// CLOCK_MONOTONIC.
Nanoseconds now_ns();

/// epoll with a function per descriptor.
class Poller {
  public:
    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// Calls `readable` whenever `descriptor` can be read.
    void watch(int descriptor, std::function<void()> readable);

    /// After close(): the function is dropped at the end of the turn.
    void forget(int descriptor) { forgotten_.push_back(descriptor); }

    void turn(int timeout_ms);

  private:
    const int epoll_;
    std::map<int, std::function<void()>> readable_;
    std::vector<int> forgotten_;
};

/// What happened to each event, by the number in its id.
class Book {
  public:
    struct Entry {
        Nanoseconds due = 0;        ///< when the schedule wanted it sent
        Nanoseconds written = 0;    ///< right before its request was written
        Nanoseconds answered = 0;   ///< when the answer had been read; 0: not yet
        Nanoseconds delivered = 0;  ///< when its delivery had been read; 0: not yet
    };

    std::uint64_t open(Nanoseconds due);
    void answered(std::uint64_t number, int status);
    void arrived(std::uint64_t number);

    std::uint64_t sent() const { return entries_.size(); }
    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t refused() const { return refused_; }
    std::uint64_t delivered() const { return delivered_; }
    std::uint64_t duplicates() const { return duplicates_; }
    std::uint64_t under_way() const { return sent() - refused_ - delivered_; }
    bool is_settled() const { return sent() == accepted_ + refused_ && accepted_ <= delivered_; }
    const std::vector<Entry>& entries() const { return entries_; }

  private:
    std::vector<Entry> entries_;
    std::uint64_t accepted_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t duplicates_ = 0;
};

/// The sending end: kept connections with at most one request each.
class Source {
  public:
    Source(Poller& poller, Book& book, const std::string& body);
    ~Source();

    void connect(int port, int connections);
    bool has_idle() const { return !idle_.empty(); }

    /// Posts the next event; there must be an idle connection.
    void send(Nanoseconds due);

  private:
    struct Connection {
        int descriptor = -1;
        std::string input;
        std::uint64_t number = 0;  // of the event whose answer is awaited
    };
    void read(Connection& connection);

    Poller& poller_;
    Book& book_;
    std::string request_;
    std::size_t number_at_ = 0;  // where the number's digits stand in request_
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> idle_;
};

/// The receiving end: answers 204 and reads the number out of each event.
class Receiver {
  public:
    Receiver(Poller& poller, Book& book, int port);
    ~Receiver();

  private:
    void accept();
    void read(int descriptor);
    bool take_one(int descriptor, std::string& input);

    Poller& poller_;
    Book& book_;
    const int listener_;
    std::map<int, std::string> inputs_;
};

}  // namespace bench
