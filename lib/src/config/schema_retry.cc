#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/units.h"
#include "config/checks.h"
#include "config/effective.h"
#include "config/endpoint_values.h"
#include "config/read_keys.h"
#include "config/schema.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr double factor_max = 100;
constexpr std::size_t schedule_max = 100;
constexpr Duration wait_max = hours(24 * 30);

void read_factor(const Value& value, Target& target) {
    constexpr const char* expected = "a number from 1 to 100";
    const std::optional<Scalar> scalar = value.scalar(expected);
    if (!scalar) return;
    const std::string& text = scalar->text;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    if (!is_number || !std::isfinite(number) || number < 1 || number > factor_max) {
        value.refuse(scalar->shown + " is no such factor; expected " + expected);
    } else {
        target.endpoint.retry.factor = number;
    }
}

void read_jitter(const Value& value, Target& target) {
    const std::optional<std::size_t> index = read_choice(value, {"full", "equal", "none"});
    if (index) target.endpoint.retry.jitter = static_cast<RetryPolicy::Jitter>(*index);
}

void add_wait(const Value& value, std::vector<Duration>& waits) {
    constexpr const char* expected = "a duration from 0s to 720h";
    const std::optional<Scalar> scalar = value.scalar(expected);
    if (!scalar) return;
    const Result<Duration> duration = parse_duration(scalar->text, expected);
    if (duration.has_error()) {
        value.refuse(duration.error().message());
    } else if (*duration < Duration::zero() || *duration > wait_max) {
        value.refuse(scalar->shown + " is out of range; expected " + expected);
    } else {
        waits.push_back(*duration);
    }
}

void read_schedule(const Value& value, Target& target) {
    if (!value.expect_sequence("a list of durations")) return;
    const std::size_t size = value.node().items.size();
    if (size == 0 || size > schedule_max) {
        value.refuse("has " + std::to_string(size) + " items; expected 1 to 100 durations");
        return;
    }
    std::vector<Duration> waits;
    for (std::size_t i = 0; i < size; ++i) add_wait(value.item(i), waits);
    target.endpoint.retry.schedule = std::move(waits);
}

Key wait_key(std::string name, std::string description, Duration& (*at)(Target&)) {
    return {std::move(name), std::move(description), DurationKind{milliseconds(1), wait_max, at}};
}

std::vector<Key> growth_keys() {
    Key strategy{
        "strategy",
        "`breaker`: `threshold` attempts back to back, then one per `backoff`. "
        "`exponential`: each event waits longer from failure to failure.",
        choice<RetryPolicy::Strategy>({"breaker", "exponential"}, [](Target& t) -> decltype(auto) {
            return (t.endpoint.retry.strategy);
        })};
    Key initial = wait_key("initial", "Exponential: the wait after an event's first failure.",
                           [](Target& t) -> decltype(auto) { return (t.endpoint.retry.initial); });
    Key factor{"factor",
               "Exponential: by how much each wait is longer than the one before.",
               SpecialKind{"number from 1 to 100", R"({"anyOf": [
                        {"type": "number", "minimum": 1, "maximum": 100},
                        {"$ref": "#/definitions/variable"}]})",
                           read_factor, show_factor},
               false,
               "2",
               {}};
    Key max = wait_key("max", "Exponential: the longest wait.",
                       [](Target& t) -> decltype(auto) { return (t.endpoint.retry.max); });
    Key jitter{"jitter",
               "Exponential: draws each wait from [0, wait] (`full`), from [wait/2, wait] "
               "(`equal`), or not (`none`). Not given: `full`, with `schedule` `none`.",
               SpecialKind{"choice: full, equal, none", R"({"anyOf": [
                               {"enum": ["full", "equal", "none"]},
                               {"$ref": "#/definitions/variable"}]})",
                           read_jitter, show_jitter},
               false,
               {},
               "equal"};
    Key schedule{"schedule",
                 "Exponential: these waits instead; the last one repeats.",
                 SpecialKind{"list of durations",
                             R"({"type": "array", "minItems": 1, "maxItems": 100,
                                 "items": {"$ref": "#/definitions/duration"}})",
                             read_schedule, show_schedule},
                 false,
                 {},
                 "[5s, 5m, 30m, 2h]"};
    return {std::move(strategy), std::move(initial), std::move(factor),
            std::move(max),      std::move(jitter),  std::move(schedule)};
}

std::vector<Key> giving_up_keys() {
    Key max_attempts{"max_attempts", "Attempts before an event is given up; 0: no limit.",
                     integer<unsigned>(0, 1'000'000'000, [](Target& t) -> decltype(auto) {
                         return (t.endpoint.retry.attempts_max);
                     })};
    Key max_age{"max_age", "Age at which an event is given up; 0s: no limit.",
                DurationKind{Duration::zero(), hours(24 * 365), [](Target& t) -> decltype(auto) {
                                 return (t.endpoint.retry.age_max);
                             }}};
    Key permanent{"permanent",
                  "Answers that give an event up at once: codes and ranges of codes.",
                  SpecialKind{"list of codes and ranges", statuses_json_schema(true),
                              [](const Value& value, Target& t) {
                                  read_statuses(value, t.endpoint.retry.permanent, true);
                              },
                              [](Target& t) { return show_statuses(t.endpoint.retry.permanent); }},
                  false,
                  "[]",
                  "[400, 410, 413, 422]"};
    Key retryable{"retryable",
                  "Answers that never do.",
                  SpecialKind{"list of codes and ranges", statuses_json_schema(true),
                              [](const Value& value, Target& t) {
                                  read_statuses(value, t.endpoint.retry.retryable, true);
                              },
                              [](Target& t) { return show_statuses(t.endpoint.retry.retryable); }},
                  false,
                  "[]",
                  "[404]"};
    Key gone{
        "gone_disables",
        "410 disables the endpoint: what is queued is given up, new events are ignored.",
        BooleanKind{[](Target& t) -> decltype(auto) { return (t.endpoint.retry.gone_disables); }}};
    Key retry_after{"retry_after_max",
                    "The longest pause that `Retry-After` may ask for; 0s: none.",
                    DurationKind{Duration::zero(), wait_max, [](Target& t) -> decltype(auto) {
                                     return (t.endpoint.retry.retry_after_max);
                                 }}};
    return {std::move(max_attempts), std::move(max_age), std::move(permanent),
            std::move(retryable),    std::move(gone),    std::move(retry_after)};
}

}  // namespace

Key make_retry_key() {
    std::vector<Key> keys = growth_keys();
    for (Key& key : giving_up_keys()) keys.push_back(std::move(key));
    return {"retry", "When to try again, and when to give up.", MappingKind{std::move(keys), {}}};
}

std::vector<Key> make_order_keys() {
    Key in_flight{"max_in_flight", "Attempts at once; 1 keeps strict order.",
                  integer<unsigned>(1, 1024, [](Target& t) -> decltype(auto) {
                      return (t.endpoint.max_in_flight);
                  })};
    Key order_by{"order_by",
                 "A JSON pointer: events with the same value there keep their order, also with "
                 "several attempts at once.",
                 TextKind{"a JSON pointer", check_pointer,
                          [](Target& t) -> decltype(auto) { return (t.endpoint.order_by); }},
                 false,
                 {},
                 "/target/repository"};
    Key events{"max_events", "Events in one request.",
               integer<std::size_t>(1, 10'000, [](Target& t) -> decltype(auto) {
                   return (t.endpoint.batch.events_max);
               })};
    Key bytes{"max_bytes", "Bytes of events in one request; a larger event goes alone.",
              SizeKind{1, std::uint64_t{1} << 30,
                       [](Target& t) -> decltype(auto) { return (t.endpoint.batch.bytes_max); }}};
    Key linger{"linger", "How long the oldest event may wait for a request to become full.",
               DurationKind{Duration::zero(), std::chrono::seconds(60),
                            [](Target& t) -> decltype(auto) { return (t.endpoint.batch.linger); }}};
    Key batch{"batch", "Several events in one request; needs `max_in_flight: 1`, no `order_by`.",
              MappingKind{{std::move(events), std::move(bytes), std::move(linger)}, {}}};
    return {std::move(in_flight), std::move(order_by), std::move(batch)};
}

}  // namespace fanfare
