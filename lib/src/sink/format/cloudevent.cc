#include "sink/format/cloudevent.h"

#include "sink/format/render_error.h"

namespace fanfare {
namespace {

/// Where nothing tells where an event comes from.
constexpr std::string_view unknown_source = "fanfare";

std::string type_of(const Event& event, const std::string& type_prefix) {
    const bool is_registry =
        event.type() == MediaType::registry_v1 || event.type() == MediaType::registry_v2;
    std::string type = is_registry ? "org.cncf.distribution" : type_prefix;
    if (!event.action().empty()) type.append(".").append(event.action());
    return type;
}

/// A registry calls itself `host:port`. That is a URI-reference if the host can be taken for a
/// scheme, and one to a network path otherwise.
std::string cloudevent_source(std::string_view address) {
    if (is_uri_reference(address)) return std::string(address);
    std::string network_path = "//";
    network_path += address;
    if (!address.empty() && is_uri_reference(network_path)) return network_path;
    return std::string(unknown_source);
}

std::string subject_of(JsonLookup& event) {
    std::string subject(event.find("/target/repository").string());
    if (subject.empty()) return subject;
    const std::string_view tag = event.find("/target/tag").string();
    if (!tag.empty()) subject.append(":").append(tag);
    return subject;
}

}  // namespace

CloudEventAttributes attributes_of(const Event& event, const std::string& type_prefix) {
    const std::unique_ptr<JsonLookup> payload = look_into(event);
    CloudEventAttributes attributes = {
        {"specversion", "1.0"},
        {"id", std::string(event.id())},
        {"source", cloudevent_source(payload->find("/source/addr").string())},
        {"type", type_of(event, type_prefix)},
    };
    const auto add = [&attributes](const char* name, std::string value) {
        if (!value.empty()) attributes.emplace_back(name, std::move(value));
    };
    add("subject", subject_of(*payload));
    const std::string_view timestamp = payload->find("/timestamp").string();
    if (is_rfc3339(timestamp)) add("time", std::string(timestamp));
    // They are headers, of which HTTP allows more than JSON does.
    if (is_utf8(event.traceparent())) add("traceparent", std::string(event.traceparent()));
    if (is_utf8(event.tracestate())) add("tracestate", std::string(event.tracestate()));
    return attributes;
}

}  // namespace fanfare
