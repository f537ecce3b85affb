// One POST of an HttpSink to a receiver that answers at once, without a socket: what a delivery
// costs beside the system calls.
#include "fanfare/http_sink.h"
#include "micro/support.h"
#include "support/fake_network.h"
#include "support/sink_bench.h"

namespace fanfare::bench {
namespace {

constexpr const char* answer =
    "HTTP/1.1 204 No Content\r\nServer: nginx/1.22.1\r\n"
    "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n\r\n";

void http_sink(benchmark::State& state) {
    SteadyClock clock;
    test::FakeNetwork network;
    network.names.addresses = {net::ip::make_address("10.0.0.1")};
    network.on_connected = [](test::FakeWire& wire) {
        wire.on_sent = [&wire] {
            wire.sent.clear();
            wire.answer(answer);
        };
    };
    HttpSinkOptions options;
    options.url = "http://receiver.test/hook";
    const Result<SinkMaker> maker = make_http_sink_maker(options, network, network);
    test::SinkBench bench(clock);
    bench.sink = (*maker)(bench.sink_context);
    const std::vector<EventPtr> batch = {make_event()};
    for (auto _ : state) {
        bench.begin(batch);
        if (bench.finish().verdict() != Verdict::delivered) state.SkipWithError("not delivered");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(http_sink);

}  // namespace
}  // namespace fanfare::bench
