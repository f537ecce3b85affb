// What a request costs before its events are written: HTTP, JSON, the fields of the event.
#include "event/json_view.h"
#include "http/http_parser.h"
#include "micro/support.h"
#include "server/parse_request.h"

namespace fanfare::bench {
namespace {

std::string post() {
    const std::string& body = envelope_text();
    return "POST /events HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: " +
           std::string(media_type) + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// The envelope with room behind it, as simdjson wants.
std::string padded_envelope() {
    std::string text = envelope_text();
    text.reserve(text.size() + json_padding);
    return text;
}

void request_parser(benchmark::State& state) {
    const std::string request = post();
    RequestParser parser{RequestParser::Limits{}};
    for (auto _ : state) {
        std::string_view rest = request;
        while (!parser.is_done()) rest.remove_prefix(parser.feed(rest));
        benchmark::DoNotOptimize(parser.take_body());
        parser.next();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(request_parser);

void json_validate(benchmark::State& state) {
    const std::string text = padded_envelope();
    for (auto _ : state) benchmark::DoNotOptimize(validate_json(text));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(json_validate);

void json_visit_events(benchmark::State& state) {
    const std::string text = padded_envelope();
    for (auto _ : state) {
        KeptTexts kept;
        const auto problem = visit_events(text, JsonLayout::envelope, kept, [](const auto& event) {
            benchmark::DoNotOptimize(event.payload.data());
            return true;
        });
        benchmark::DoNotOptimize(problem);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(json_visit_events);

/// All of it: checked JSON, events with their fields.
void request_to_events(benchmark::State& state) {
    SteadyClock clock;
    IdGenerator ids(clock);
    const ParseOptions options{10000, ids};
    RequestHead head;
    head.fields.emplace_back("Content-Type", media_type);
    std::string body = padded_envelope();
    for (auto _ : state) benchmark::DoNotOptimize(parse_request(head, body, options));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(request_to_events);

void event_make(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(make_event());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_make);

}  // namespace
}  // namespace fanfare::bench
