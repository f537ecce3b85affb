#include "server/admin/fleet_route.h"

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "server/admin/json_text.h"
#include "server/answer.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const FleetReplica& replica) {
    Json json;
    json["id"] = replica.id;
    json["host"] = replica.host;
    json["version"] = replica.version;
    json["started"] = rfc3339(replica.started_at);
    json["is_self"] = replica.is_self;
    json["seen_seconds_ago"] = to_seconds(replica.last_seen);
    json["endpoints"] = replica.endpoints.size();
    json["queue"] = replica.queue;
    return json;
}

Json json_of(const FleetMismatch& mismatch) {
    Json json;
    if (mismatch.endpoint.empty()) {
        json["queue"] = mismatch.settings;
    } else {
        json["endpoint"] = mismatch.endpoint;
    }
    json["configured_differently"] = mismatch.replicas;
    json["missing"] = mismatch.without;
    return json;
}

Json json_of(const SharedLogFigures& figures) {
    Json json;
    json["connected"] = figures.is_connected;
    json["server"] = figures.server;
    json["first_seq"] = figures.first_seq;
    json["last_seq"] = figures.last_seq;
    json["events"] = figures.events;
    json["bytes"] = figures.bytes;
    return json;
}

}  // namespace

void FleetRoute::add_to(AdminRoutes& routes) {
    routes.add({.method = "GET", .path = "/v1/fleet", .serve = [this](AdminCall call) {
                    return show(std::move(call));
                }});
}

awaitable<Response> FleetRoute::show(AdminCall) {
    const FleetView view = source_.fleet->view();
    Json body;
    body["log"] = json_of(source_.log->figures());
    body["replicas"] = Json::array();
    for (const FleetReplica& replica : view.replicas) body["replicas"].push_back(json_of(replica));
    body["mismatches"] = Json::array();
    for (const FleetMismatch& mismatch : view.mismatches) {
        body["mismatches"].push_back(json_of(mismatch));
    }
    co_return json_response(json_line(body));
}

}  // namespace fanfare
