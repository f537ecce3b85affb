// What happens between a request in and a request out: fan-out, queue, the parts of a delivery.
#include "fanfare/envelope.h"
#include "fanfare/queue.h"
#include "http/http_parser.h"
#include "micro/support.h"
#include "sink/head_template.h"

namespace fanfare::bench {
namespace {

/// From write() until all endpoints have delivered; an item is a delivery.
void broadcast(benchmark::State& state) {
    Pipeline pipeline(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        const std::shared_ptr<Event> event = make_event();
        benchmark::DoNotOptimize(pipeline.broadcaster.write({&event, 1}));
        pipeline.poll();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(broadcast)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

/// In and out with `range` events waiting.
void queue_push_lease_settle(benchmark::State& state) {
    MemoryQueue queue;
    const EventPtr event = make_event();
    for (std::int64_t i = 0; i < state.range(0); ++i) queue.push(event);
    for (auto _ : state) {
        queue.push(event);
        queue.settle(queue.lease(LeaseLimits{}, TimePoint{}), Settle::done);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(queue_push_lease_settle)->Arg(0)->Arg(1'000'000);

void envelope_compose(benchmark::State& state) {
    const std::vector<EventPtr> batch(static_cast<std::size_t>(state.range(0)), make_event());
    for (auto _ : state) {
        const Envelope envelope(batch);
        benchmark::DoNotOptimize(envelope.buffers().data());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(envelope_compose)->Arg(1)->Arg(100);

void request_head(benchmark::State& state) {
    const auto made = HeadTemplate::make(*parse_url("http://audit.example.com/hook"), {});
    HeadFacts facts;
    facts.content_type = media_type;
    facts.content_length = 1024;
    facts.webhook_id = event_id;
    facts.timestamp_seconds = 1'800'000'000;
    std::string head;
    for (auto _ : state) {
        made->render(facts, head);
        benchmark::DoNotOptimize(head.data());
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(request_head);

void response_parser(benchmark::State& state) {
    constexpr std::string_view answer =
        "HTTP/1.1 204 No Content\r\nServer: nginx/1.22.1\r\n"
        "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n\r\n";
    ResponseParser parser;
    for (auto _ : state) {
        parser.reset();
        benchmark::DoNotOptimize(parser.feed(answer));
        benchmark::DoNotOptimize(parser.is_done());
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(response_parser);

}  // namespace
}  // namespace fanfare::bench
