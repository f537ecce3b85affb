#include "server/events/event_json.h"

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "server/admin/attempt_json.h"
#include "server/admin/json_text.h"
#include "server/events/record_text.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

std::string_view to_string(EventList::Status status) noexcept {
    switch (status) {
        case EventList::Status::ok:
            return "ok";
        case EventList::Status::up_to_date:
            return "up_to_date";
        case EventList::Status::evicted:
            return "evicted";
        case EventList::Status::future:
            break;
    }
    return "future";
}

void append_number(std::string& out, std::string_view name, std::uint64_t number) {
    out += ",\"";
    out += name;
    out += "\":";
    out += std::to_string(number);
}

Json describe(const EndpointFate& fate) {
    Json json;
    json["name"] = fate.endpoint;
    json["state"] = to_string(fate.state);
    json["reason"] = fate.reason.empty() ? Json() : Json(fate.reason);
    json["attempts"] = Json::array();
    for (const AttemptRecord& attempt : fate.attempts) {
        json["attempts"].push_back(attempt_json(attempt));
    }
    return json;
}

Json describe(const StreamState& stream, std::uint64_t history_next) {
    Json json;
    json["id"] = stream.id();
    json["name"] = stream.name;
    json["peer"] = stream.peer;
    json["format"] = to_string(stream.format);
    json["created"] = rfc3339(stream.created);
    json["cursor"] = stream.next > 0 ? stream.next - 1 : 0;
    json["lag"] = stream.lag(history_next);
    json["sent"] = stream.sent;
    json["filter"] = stream.filter;
    const bool has_written = stream.last_write != WallTime{};
    json["last_write"] = has_written ? Json(rfc3339(stream.last_write)) : Json();
    return json;
}

}  // namespace

std::string event_list_json(const std::string& instance, const EventList& list) {
    std::string out = R"({"instance":")" + instance + R"(","status":")";
    out += to_string(list.status);
    out += '"';
    append_number(out, "lowest", list.range.lowest);
    append_number(out, "highest", list.range.next - 1);
    append_number(out, "next", list.range.next);
    append_number(out, "next_start", list.next_start);
    if (list.status == EventList::Status::evicted) append_number(out, "missed", list.missed);
    out += list.is_clamped ? R"(,"clamped":true)" : R"(,"clamped":false)";
    append_number(out, "dropped_total", list.evicted);
    out += R"(,"events":[)";
    for (const HistoryRecord& record : list.records) {
        out += &record == &list.records.front() ? "{" : ",{";
        append_record(out, record);
        out += '}';
    }
    out += "]}\n";
    return out;
}

std::string event_stats_json(const std::string& instance, const HistoryStats& stats) {
    Json json;
    json["instance"] = instance;
    json["since"] = rfc3339(stats.since);
    json["total"] = stats.tally.total();
    json["by"] = Json::array();
    for (const EventTally::Pair& pair : stats.tally.pairs()) {
        json["by"].push_back({{"source", fanfare::to_string(pair.source)},
                              {"action", pair.action},
                              {"count", pair.count}});
    }
    json["other"] = stats.tally.others();
    return json_line(json);
}

std::string event_json(const HistoryRecord& record, const std::vector<EndpointFate>& fates) {
    Json endpoints = Json::array();
    for (const EndpointFate& fate : fates) endpoints.push_back(describe(fate));
    std::string out = "{";
    append_record(out, record);
    out += R"(,"endpoints":)";
    out += json_text(endpoints);
    out += "}\n";
    return out;
}

std::string stream_list_json(const StreamHub& hub) {
    Json json;
    json["instance"] = hub.instance();
    json["limit"] = {{"total", hub.total_max()}, {"per_client", hub.options().per_client_max}};
    json["streams"] = Json::array();
    const std::uint64_t next = hub.history().range().next;
    for (const StreamState& stream : hub.streams()) {
        json["streams"].push_back(describe(stream, next));
    }
    return json_line(json);
}

}  // namespace fanfare
