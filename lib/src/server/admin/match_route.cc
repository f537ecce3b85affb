#include "server/admin/match_route.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "event/json_lookup.h"
#include "server/admin/find_endpoint.h"
#include "server/admin/json_text.h"
#include "server/admin/match_json.h"
#include "server/parse_request.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// What a rule looked at: `/action is "push"`.
std::string found_text(const std::string& field, const Event& event) {
    try {
        JsonLookup lookup(event.payload());
        const bool is_pointer = field.empty() || field.front() == '/';
        const JsonValue value = is_pointer ? lookup.find(field) : lookup.find_member(field);
        switch (value.kind) {
            case JsonValue::Kind::missing:
                return field + " is missing";
            case JsonValue::Kind::null:
                return field + " is null";
            case JsonValue::Kind::container:
                return field + " is an object or array";
            case JsonValue::Kind::scalar:
                return field + " is " + std::string(value.text);
            case JsonValue::Kind::string:
                return field + " is " + json_text(std::string(value.text));
        }
    } catch (const std::invalid_argument&) {
        return "the event is no JSON object";
    }
    return {};
}

std::string rule_against(const std::vector<MatchRule>& rules, std::size_t index,
                         const Event& event) {
    const MatchRule& rule = rules[index];
    std::string text = "match[" + std::to_string(index) + "] does not hold: ";
    if (!rule.any.empty()) return text + "no alternative of `any` is met";
    return text + json_text(match_rules_json({rule}).front()) + ", and " +
           found_text(rule.field, event);
}

/// Who might take events, at one moment.
struct Takers {
    const std::vector<EndpointInfo>& endpoints;
    const Snapshot& snapshot;
};

Json judge(const ParsedEvent& parsed, MediaType type, const Takers& takers) {
    const std::shared_ptr<Event> event = Event::make(parsed.payload, parsed.fields, type);
    Json entry;
    entry["event_id"] = event->id();
    entry["endpoints"] = Json::array();
    for (const EndpointInfo& endpoint : takers.endpoints) {
        std::vector<std::string> reasons = reasons_against(endpoint, *event);
        const EndpointSnapshot* const state = find_endpoint(takers.snapshot, endpoint.name);
        if (state != nullptr && state->is_gone) {
            reasons.emplace_back("the receiver is gone (410): the endpoint waits for a resume");
        }
        Json& judged = entry["endpoints"].emplace_back(Json::object());
        judged["name"] = endpoint.name;
        judged["takes"] = reasons.empty();
        judged["why_not"] = reasons;
    }
    return entry;
}

}  // namespace

std::vector<std::string> reasons_against(const EndpointInfo& endpoint, const Event& event) {
    std::vector<std::string> reasons;
    if (endpoint.is_disabled) reasons.emplace_back("the endpoint is disabled");
    if (!IgnoreFilter({}, endpoint.ignored_actions).wants(event)) {
        reasons.push_back("ignore.actions lists " + json_text(std::string(event.action())));
    }
    if (!IgnoreFilter(endpoint.ignored_media_types, {}).wants(event)) {
        reasons.push_back("ignore.mediatypes lists " +
                          json_text(std::string(event.target_media_type())));
    }
    for (std::size_t i = 0; i < endpoint.match.size(); ++i) {
        if (MatchFilter({endpoint.match[i]}).wants(event)) continue;
        reasons.push_back(rule_against(endpoint.match, i, event));
    }
    return reasons;
}

void MatchRoute::add_to(AdminRoutes& routes) {
    AdminRoute route{.method = "POST", .path = "/v1/match", .serve = {}};
    route.serve = [this](AdminCall call) { return match(std::move(call)); };
    route.takes_body = true;
    routes.add(std::move(route));
}

awaitable<Response> MatchRoute::match(AdminCall call) {
    std::optional<Refusal> refusal = refuse_head(call.head);
    const ParseOptions options{events_max, ids_};
    std::variant<ParsedRequest, Refusal> parsed;
    if (!refusal) parsed = parse_request(call.head, call.body, options);
    if (const auto* const refused = std::get_if<Refusal>(&parsed)) refusal = *refused;
    if (refusal) {
        co_return error_response(refusal->status, refusal->code, refusal->message, refusal->detail);
    }
    const ParsedRequest& request = std::get<ParsedRequest>(parsed);
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    const ConfigView::Shown shown = view_.get();
    const Takers takers{shown->endpoints, snapshot};
    std::function<std::string()> make = [&] {
        Json result;
        result["matches"] = Json::array();
        for (const ParsedEvent& event : request.events) {
            result["matches"].push_back(judge(event, request.type, takers));
        }
        result["next"] = nullptr;
        return json_line(result);
    };
    std::string body = co_await composer_.compose(std::move(make));
    co_return json_response(std::move(body));
}

}  // namespace fanfare
