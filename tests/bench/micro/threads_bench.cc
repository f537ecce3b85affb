// Whether two threads do twice the work of one: everything that the daemon does with an event
// but the sockets, and no load generator to compete with. Wants as many idle cores as threads.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fanfare/envelope.h"
#include "http/http_parser.h"
#include "micro/support.h"
#include "server/parse_request.h"
#include "sink/head_template.h"
#include "support/loops.h"

namespace fanfare::bench {
namespace {

constexpr std::size_t events_total = 200'000;
constexpr std::size_t endpoints = 2;
/// As many requests as a loop finds readable at once.
constexpr std::size_t requests_per_turn = 16;

/// Makes the request that would be sent, and reads an answer.
class RequestSink final : public Sink {
  public:
    awaitable<Outcome> deliver(Attempt attempt) override {
        constexpr std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n";
        const Envelope envelope(attempt.batch);
        HeadFacts facts;
        facts.content_type = Envelope::media_type(attempt.batch);
        facts.content_length = envelope.size_bytes();
        facts.webhook_id = attempt.batch.front()->id();
        facts.attempt = attempt.number;
        template_.render(facts, head_);
        parser_.reset();
        benchmark::DoNotOptimize(parser_.feed(answer));
        co_return Outcome::delivered(parser_.status());
    }

  private:
    HeadTemplate template_ = *HeadTemplate::make(*parse_url("http://localhost/hook"), {});
    std::string head_;
    ResponseParser parser_;
};

/// Reads `count` requests and writes their events, as a shard's ingest does.
awaitable<void> ingest(Broadcaster& broadcaster, IdGenerator& ids, std::size_t count) {
    const ParseOptions options{10000, ids};
    const Executor executor = co_await net::this_coro::executor;
    RequestHead head;
    head.fields.emplace_back("Content-Type", media_type);
    std::string body = envelope_text();
    body.reserve(body.size() + json_padding);
    for (std::size_t i = 0; i < count; ++i) {
        const auto parsed = parse_request(head, body, options);
        const ParsedEvent& event = std::get<ParsedRequest>(parsed).events.front();
        const std::shared_ptr<Event> made =
            Event::make(event.payload, event.fields, MediaType::registry_v1);
        broadcaster.write({&made, 1});
        if (i % requests_per_turn == 0) co_await net::post(executor, net::use_awaitable);
    }
}

/// Seconds from the first request until every endpoint has everything.
double run_once(std::size_t threads) {
    test::Loops loops(threads);
    Broadcaster broadcaster(loops.shards());
    IdGenerator ids(loops.clock());
    for (std::size_t i = 0; i < endpoints; ++i) {
        EndpointOptions options;
        options.name = "endpoint-" + std::to_string(i);
        options.make_sink = [](const SinkContext&) { return std::make_unique<RequestSink>(); };
        Shard& shard = *loops.shards()[i % threads];
        broadcaster.add(std::make_shared<Endpoint>(shard, std::move(options)));
    }
    std::vector<std::future<void>> writers;
    for (std::size_t i = 0; i < threads; ++i) {
        writers.push_back(loops.start(ingest(broadcaster, ids, events_total / threads), i));
    }
    const TimePoint start = loops.clock().now();
    loops.run();
    for (std::future<void>& writer : writers) writer.get();
    loops.start(broadcaster.drain(loops.clock().now() + std::chrono::minutes(1))).get();
    return std::chrono::duration<double>(loops.clock().now() - start).count();
}

/// An item is an event that both endpoints have.
void threads(benchmark::State& state) {
    for (auto _ : state) state.SetIterationTime(run_once(static_cast<std::size_t>(state.range(0))));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events_total));
}
BENCHMARK(threads)->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fanfare::bench
