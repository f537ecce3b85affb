// Load and sink in one process and one thread, so that one clock sees an event leave and arrive.
//
//   both_ends --ingest PORT --sink PORT --body FILE --rate N      open loop: N events/s
//   both_ends --ingest PORT --sink PORT --body FILE --window N    closed loop: N under way
//
// Posts FILE, with a running number in place of the last twelve digits of the event's id, over
// kept connections, and answers 204 to what comes back. Each event is stamped four times: when the
// schedule wants it sent, right before its request is written, when its answer and when all of its
// delivery has been read. An event that finds no idle connection waits, and its schedule time does
// not move: what the daemon's slowness does to the sender is not left out ("coordinated omission").
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/ends.h"
#include "tools/percentiles.h"

namespace bench {

namespace {

struct Options {
    int ingest_port = 0;
    int sink_port = 0;
    std::string body;
    double rate = 0;
    std::uint64_t window = 0;
    double seconds = 5;
    double warm_up = 1;
    int connections = 16;
};

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

Options parse(int argc, char** argv) {
    std::map<std::string, std::string> given;
    for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
    const auto number = [&](const std::string& name, double otherwise) {
        const auto found = given.find(name);
        return found == given.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
    };
    Options options;
    options.ingest_port = static_cast<int>(number("--ingest", 0));
    options.sink_port = static_cast<int>(number("--sink", 0));
    options.rate = number("--rate", 0);
    options.window = static_cast<std::uint64_t>(number("--window", 0));
    options.seconds = number("--seconds", options.seconds);
    options.warm_up = number("--warm-up", options.warm_up);
    options.connections = static_cast<int>(number("--connections", options.connections));
    options.body = read_file(given["--body"]);
    if ((options.rate > 0) == (options.window > 0)) {
        throw std::runtime_error("either --rate or --window");
    }
    return options;
}

/// Sends what is due; returns how long the loop may sleep.
class Pace {
  public:
    Pace(const Options& options, Source& source, const Book& book)
        : options_(options), source_(source), book_(book), start_(now_ns()) {}

    Nanoseconds start() const { return start_; }
    bool is_over() const { return now_ns() >= end(); }

    int send_due() {
        if (is_over()) return 1;
        return options_.rate > 0 ? send_scheduled() : send_into_window();
    }

  private:
    Nanoseconds end() const {
        return start_ + static_cast<Nanoseconds>((options_.warm_up + options_.seconds) * 1e9);
    }

    /// Never sleeps: a timer's wake-up would be later than what is to be measured.
    int send_scheduled() {
        for (;;) {
            const auto due = start_ + static_cast<Nanoseconds>(static_cast<double>(book_.sent()) *
                                                               1e9 / options_.rate);
            if (due > now_ns() || !source_.has_idle()) return 0;
            source_.send(due);
        }
    }

    int send_into_window() {
        while (book_.under_way() < options_.window && source_.has_idle()) source_.send(now_ns());
        return 100;
    }

    const Options& options_;
    Source& source_;
    const Book& book_;
    const Nanoseconds start_;
};

/// The p99 of each second by itself, of which the median is told: a stall of the machine makes one
/// second long, and not the whole run.
class EachSecond {
  public:
    void add(Nanoseconds since_start, Nanoseconds taken) {
        seconds_[since_start / 1'000'000'000].add(taken);
    }

    double median_p99() {
        std::vector<double> all;
        for (auto& [second, taken] : seconds_) all.push_back(taken.p99());
        if (all.empty()) return 0;
        std::sort(all.begin(), all.end());
        return all[all.size() / 2];
    }

  private:
    std::map<Nanoseconds, Percentiles> seconds_;
};

void print(const Options& options, const Book& book, Nanoseconds start, Nanoseconds end) {
    const auto warm = start + static_cast<Nanoseconds>(options.warm_up * 1e9);
    Percentiles written;
    Percentiles scheduled;
    EachSecond answered;
    std::uint64_t counted = 0;
    for (const Book::Entry& entry : book.entries()) {
        if (entry.delivered == 0) continue;
        if (entry.delivered >= warm && entry.delivered < end) ++counted;
        if (entry.due < warm) continue;
        written.add(entry.delivered - entry.written);
        if (entry.answered != 0) answered.add(entry.due - warm, entry.answered - entry.written);
        scheduled.add(entry.delivered - entry.due);
    }
    std::printf(
        "{\"sent\":%llu,\"accepted\":%llu,\"refused\":%llu,\"delivered\":%llu,"
        "\"duplicates\":%llu,\"per_second\":%.1f,\"answered_p99_us\":%.1f,\"written\":%s,"
        "\"scheduled\":%s}\n",
        static_cast<unsigned long long>(book.sent()),
        static_cast<unsigned long long>(book.accepted()),
        static_cast<unsigned long long>(book.refused()),
        static_cast<unsigned long long>(book.delivered()),
        static_cast<unsigned long long>(book.duplicates()),
        static_cast<double>(counted) * 1e9 / static_cast<double>(end - warm), answered.median_p99(),
        written.json().c_str(), scheduled.json().c_str());
}

int run(const Options& options) {
    constexpr Nanoseconds drain_limit = 60'000'000'000;
    Poller poller;
    Book book;
    Receiver receiver(poller, book, options.sink_port);
    Source source(poller, book, options.body);
    source.connect(options.ingest_port, options.connections);

    Pace pace(options, source, book);
    while (!pace.is_over()) poller.turn(pace.send_due());
    const Nanoseconds end = now_ns();
    while (!book.is_settled()) {
        poller.turn(100);
        if (now_ns() - end > drain_limit) throw std::runtime_error("events are missing");
    }
    print(options, book, pace.start(), end);
    return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
    try {
        return bench::run(bench::parse(argc, argv));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "both_ends: %s\n", e.what());
        return 1;
    }
}
