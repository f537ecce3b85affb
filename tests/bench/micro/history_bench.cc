// What it costs each event to be kept for readers.
#include "fanfare/history.h"
#include "micro/support.h"

namespace fanfare::bench {
namespace {

void history_keep(benchmark::State& state) {
    SteadyClock clock;
    History history(clock, HistoryOptions());
    const std::shared_ptr<Event> event = make_event();
    std::uint64_t seq = 0;
    for (auto _ : state) {
        history.add(history.copy({&event, 1}), ++seq, EventSource::http);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(history_keep);

}  // namespace
}  // namespace fanfare::bench
