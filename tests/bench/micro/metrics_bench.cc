// Counting, and telling what was counted.
#include "fanfare/metrics.h"
#include "micro/support.h"
#include "server/admin/exposition.h"

namespace fanfare::bench {
namespace {

/// All that is counted for one event that is delivered at the first attempt.
void count_delivery(benchmark::State& state) {
    EndpointMetrics metrics;
    const Outcome outcome = Outcome::delivered(204);
    const Duration took = std::chrono::microseconds(130);
    for (auto _ : state) {
        metrics.offered(1);
        metrics.queued(1);
        metrics.attempted(outcome, 1, took);
        metrics.delivered(took);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(count_delivery);

void count_request(benchmark::State& state) {
    IngestMetrics metrics;
    for (auto _ : state) {
        metrics.answered(202, std::chrono::microseconds(20));
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(count_request);

/// The text of a scrape; an item is an endpoint.
void scrape(benchmark::State& state) {
    Scrape scrape;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        EndpointSnapshot endpoint;
        endpoint.name = "endpoint-" + std::to_string(i);
        endpoint.metrics.attempted(Outcome::delivered(204), 1, std::chrono::microseconds(130));
        scrape.snapshot.endpoints.push_back(std::move(endpoint));
    }
    for (auto _ : state) benchmark::DoNotOptimize(exposition(scrape));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(scrape)->Arg(1)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fanfare::bench
