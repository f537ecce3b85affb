#include "nats/entry_codec.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/percent.h"

namespace fanfare {

namespace {

constexpr std::array<std::string_view, 5> type_names = {"json", "registry_v1", "registry_v2",
                                                        "cloudevents", "meta"};

template <class Enum, std::size_t n>
std::optional<Enum> find(const std::array<std::string_view, n>& names, std::string_view name) {
    for (std::size_t i = 0; i < n; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

template <class Names, class Enum>
std::string_view name_of(const Names& names, Enum value) {
    return names.at(static_cast<std::size_t>(value));
}

std::optional<EventSource> source_of(std::string_view name) {
    for (const EventSource one : {EventSource::http, EventSource::meta, EventSource::replay}) {
        if (to_string(one) == name) return one;
    }
    return std::nullopt;
}

std::optional<WallTime> read_time(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return WallTime(std::chrono::microseconds(count));
}

/// Reads an entry out of headers; `header` gives the value of one by its name.
template <class Header>
LogEntry decode(const Header& header, std::string_view payload) {
    const std::string id = text_of_header(header("Fanfare-Id"));
    const std::optional<MediaType> type = find<MediaType>(type_names, header("Fanfare-Type"));
    const std::optional<EventSource> source = source_of(header("Fanfare-Source"));
    const std::optional<WallTime> accepted = read_time(header("Fanfare-Accepted"));
    LogEntry entry;
    if (accepted) entry.accepted_at = *accepted;
    if (source) entry.source = *source;
    if (id.empty() || payload.empty() || !type || !source || !accepted) return entry;

    entry.endpoint = text_of_header(header("Fanfare-Endpoint"));
    entry.dedup_key = text_of_header(header("Nats-Msg-Id"));
    if (entry.dedup_key == id) entry.dedup_key.clear();
    const std::string action = text_of_header(header("Fanfare-Action"));
    const std::string target = text_of_header(header("Fanfare-Target-Media-Type"));
    const std::string traceparent = text_of_header(header("Fanfare-Traceparent"));
    const std::string tracestate = text_of_header(header("Fanfare-Tracestate"));
    const EventFields fields{.id = id,
                             .action = action,
                             .target_media_type = target,
                             .traceparent = traceparent,
                             .tracestate = tracestate};
    entry.event = Event::make(payload, fields, *type);
    return entry;
}

}  // namespace

std::int64_t microseconds_since_epoch(WallTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string header_value(std::string_view text) {
    std::string value;
    value.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        // A blank at either end would be taken for padding.
        const bool is_edge = i == 0 || i + 1 == text.size();
        if (c < (is_edge ? '!' : ' ') || c > '~' || c == '%') {
            append_percent_escape(value, static_cast<unsigned char>(c));
        } else {
            value += c;
        }
    }
    return value;
}

std::string text_of_header(std::string_view value) {
    if (value.find('%') == std::string_view::npos) return std::string(value);
    return percent_decoded(value).value_or(std::string(value));
}

NatsHeaders headers_of(const LogEntry& entry) {
    const Event& event = *entry.event;
    NatsHeaders headers;
    headers.reserve(10);
    const auto add = [&headers](const char* name, std::string_view text) {
        if (!text.empty()) headers.emplace_back(name, header_value(text));
    };
    add("Nats-Msg-Id", entry.dedup_key.empty() ? event.id() : std::string_view(entry.dedup_key));
    add("Fanfare-Id", event.id());
    add("Fanfare-Action", event.action());
    add("Fanfare-Type", name_of(type_names, event.type()));
    add("Fanfare-Target-Media-Type", event.target_media_type());
    add("Fanfare-Traceparent", event.traceparent());
    add("Fanfare-Tracestate", event.tracestate());
    add("Fanfare-Accepted", std::to_string(microseconds_since_epoch(entry.accepted_at)));
    add("Fanfare-Source", to_string(entry.source));
    add("Fanfare-Endpoint", entry.endpoint);
    return headers;
}

LogEntry entry_of(const NatsMessage& message) {
    return decode([&message](const char* name) { return message.header(name); }, message.payload());
}

LogEntry entry_of(const NatsHeaders& headers, std::string_view payload) {
    const auto header = [&headers](std::string_view name) -> std::string_view {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    };
    return decode(header, payload);
}

}  // namespace fanfare
