#pragma once

#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include "fanfare/broadcaster.h"
#include "fanfare/sink.h"

namespace fanfare::bench {

/// The envelope that tests/bench/run posts, too: one event of a registry, 1 KiB.
inline const std::string& envelope_text() {
    static const std::string text = [] {
        std::ifstream in(FANFARE_BENCH_EVENT, std::ios::binary);
        if (!in) throw std::runtime_error("cannot read " FANFARE_BENCH_EVENT);
        return std::string(std::istreambuf_iterator<char>(in), {});
    }();
    return text;
}

inline constexpr const char* media_type = "application/vnd.docker.distribution.events.v1+json";
inline constexpr const char* event_id = "5eed0000-0000-4000-8000-000000000000";

/// The event of the envelope.
inline std::shared_ptr<Event> make_event() {
    const std::string& text = envelope_text();
    const std::size_t begin = text.find('{', 1);
    const std::size_t end = text.rfind(']');
    EventFields fields;
    fields.id = event_id;
    fields.action = "push";
    return Event::make(std::string_view(text).substr(begin, end - begin), fields,
                       MediaType::registry_v1);
}

/// Takes everything at once.
class InstantSink final : public Sink {
  public:
    awaitable<Outcome> deliver(Attempt attempt) override {
        benchmark::DoNotOptimize(attempt.batch.data());
        co_return Outcome::delivered(204);
    }
};

/// A broadcaster on one shard, on the real clock; the benchmark turns the loop.
class Pipeline {
  public:
    explicit Pipeline(std::size_t endpoints) {
        for (std::size_t i = 0; i < endpoints; ++i) {
            EndpointOptions options;
            options.name = "endpoint-" + std::to_string(i);
            options.make_sink = [](const SinkContext&) { return std::make_unique<InstantSink>(); };
            broadcaster.add(std::make_shared<Endpoint>(shard, std::move(options)));
        }
        poll();
    }
    ~Pipeline();

    void poll() {
        context.restart();
        context.poll();
    }

    net::io_context context{1};
    SteadyClock clock;
    Log log{LogOptions{}, [](std::string_view) {}};
    Shard shard{context, clock, log};
    Broadcaster broadcaster{{&shard}};
};

}  // namespace fanfare::bench
