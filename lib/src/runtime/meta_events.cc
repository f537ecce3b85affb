#include "runtime/meta_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/exceptions.h"
#include "base/timestamp.h"
#include "base/utf8.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// At most `text_bytes_max` of it, no character halved.
std::string with_ellipsis(std::string_view text) {
    if (text.size() <= MetaEvents::text_bytes_max) return std::string(text);
    constexpr std::string_view ellipsis = "…";
    const std::size_t size = MetaEvents::text_bytes_max - ellipsis.size();
    return std::string(shortened(text, size)).append(ellipsis);
}

/// The first of them.
Json list_of(const std::vector<std::string>& texts, std::size_t max) {
    Json list = Json::array();
    for (std::size_t i = 0; i < std::min(texts.size(), max); ++i) {
        list.push_back(with_ellipsis(texts[i]));
    }
    return list;
}

std::size_t left_out(const std::vector<std::string>& names) {
    return names.size() - std::min(names.size(), MetaEvents::names_max);
}

double to_rounded_seconds(Duration duration) {
    using std::chrono::milliseconds;
    return static_cast<double>(std::chrono::duration_cast<milliseconds>(duration).count()) / 1000;
}

}  // namespace

MetaEvents::MetaEvents(Broadcaster& broadcaster, const Clock& clock, Log& log, std::string instance)
    : broadcaster_(broadcaster),
      clock_(clock),
      log_(log),
      instance_(std::move(instance)),
      ids_(clock) {}

void MetaEvents::take(const MetaOptions& options) noexcept {
    is_enabled_.store(options.enabled, std::memory_order_relaxed);
    down_after_.store(options.down_after, std::memory_order_relaxed);
}

unsigned MetaEvents::down_after() const noexcept {
    return down_after_.load(std::memory_order_relaxed);
}

/// `fill` adds what is special about this event. Whether it was written.
template <class Fill>
bool MetaEvents::tell(const char* action, std::string_view about, Fill fill) noexcept {
    if (!is_enabled_.load(std::memory_order_relaxed)) return false;
    try {
        Json event;
        event["id"] = ids_.next();
        event["timestamp"] = rfc3339(clock_.wall());
        event["action"] = action;
        event["source"] = "meta";
        fill(event);
        event["instance"] = instance_;
        return write(action, about, event);
    } catch (...) {
        log_.warn("meta", "a meta event could not be made",
                  {{"action", action}, {"error", describe(std::current_exception())}});
        return false;
    }
}

bool MetaEvents::write(const char* action, std::string_view about, Json& event) {
    const std::string id = event["id"].get<std::string>();
    // A receiver's words may be in it, in whatever encoding.
    const std::string payload = event.dump(-1, ' ', false, Json::error_handler_t::replace);
    EventFields fields;
    fields.id = id;
    fields.action = action;
    if (broadcaster_.write_meta(Event::make(payload, fields, MediaType::meta), about)) return true;
    log_.debug("meta", "a meta event was not written", {{"action", action}, {"event_id", id}});
    return false;
}

bool MetaEvents::down(const Down& news) noexcept {
    return tell("endpoint.down", news.endpoint, [&](Json& event) {
        event["endpoint"] = news.endpoint;
        event["failures"] = news.failures;
        event["error"] = with_ellipsis(news.error);
    });
}

void MetaEvents::up(const Up& news) noexcept {
    tell("endpoint.up", news.endpoint, [&](Json& event) {
        event["endpoint"] = news.endpoint;
        event["failures"] = news.failures;
        event["down_seconds"] = to_rounded_seconds(news.down_for);
    });
}

bool MetaEvents::given_up(const GivenUp& news) noexcept {
    return tell("delivery.failed", news.endpoint, [&](Json& event) {
        event["endpoint"] = news.endpoint;
        event["event_id"] = with_ellipsis(news.event.id());
        event["seq"] = news.event.seq();
        event["reason"] = to_string(news.reason);
        event["status"] = news.status == 0 ? Json() : Json(news.status);
        const bool has_error = news.status == 0 && news.error != Reason::none;
        event["error"] = has_error ? Json(to_string(news.error)) : Json();
        event["attempts"] = news.attempts;
        event["not_told"] = news.not_told;
    });
}

void MetaEvents::config_reloaded(const Reloaded& news) noexcept {
    tell("config.reloaded", {}, [&](Json& event) {
        event["added"] = list_of(news.added, names_max);
        event["changed"] = list_of(news.changed, names_max);
        event["removed"] = list_of(news.removed, names_max);
        event["unchanged"] = news.unchanged;
        event["settings"] = list_of(news.settings, names_max);
        event["needs_restart"] = list_of(news.needs_restart, names_max);
        const std::size_t more =
            left_out(news.added) + left_out(news.changed) + left_out(news.removed);
        if (more > 0) event["names_left_out"] = more;
        event["hash"] = news.hash;
    });
}

void MetaEvents::config_rejected(const Rejected& news) noexcept {
    tell("config.rejected", {}, [&](Json& event) {
        event["problems"] = news.problems;
        event["errors"] = list_of(news.texts, problems_max);
        event["hash"] = news.hash;
    });
}

}  // namespace fanfare
