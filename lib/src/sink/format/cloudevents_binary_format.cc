#include "sink/format/cloudevents_binary_format.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/base64.h"
#include "base/percent.h"
#include "event/attribute_name.h"
#include "http/fields.h"
#include "http/media_type.h"
#include "sink/format/cloudevent.h"
#include "sink/format/render_error.h"

namespace fanfare {
namespace {

constexpr std::string_view json_type = "application/json";

using Members = std::map<std::string, JsonSlice>;

/// All that is no visible ASCII character, and what has a meaning in the form itself.
void append_percent_encoded(std::string& out, std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && c != '"' && c != '%') {
            out += c;
        } else {
            append_percent_escape(out, byte);
        }
    }
}

JsonSlice member(const Members& members, const char* name) {
    const auto found = members.find(name);
    return found == members.end() ? JsonSlice() : found->second;
}

bool is_there(const JsonSlice& slice) {
    return slice.kind != JsonValue::Kind::missing && slice.kind != JsonValue::Kind::null;
}

/// The media type of the data, which becomes a header as it is. Without data there is none, unless
/// the event says so.
std::string content_type_of(const JsonLookup& event, const Members& members) {
    std::string type;
    const JsonSlice given = member(members, "datacontenttype");
    if (given.kind == JsonValue::Kind::string) type = event.decoded(given);
    const bool has_data =
        is_there(member(members, "data")) || is_there(member(members, "data_base64"));
    if (type.empty() && has_data) type = json_type;
    const auto is_allowed = [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
    };
    if (!std::all_of(type.begin(), type.end(), is_allowed)) {
        throw render_error(RenderErrc::bad_content_type);
    }
    return type;
}

/// The bytes of the data.
std::string data_of(const JsonLookup& event, const Members& members, std::string_view type) {
    const JsonSlice base64 = member(members, "data_base64");
    if (is_there(base64)) {
        if (base64.kind != JsonValue::Kind::string) throw render_error(RenderErrc::bad_base64);
        std::optional<std::string> bytes = from_base64(event.decoded(base64));
        if (!bytes) throw render_error(RenderErrc::bad_base64);
        return std::move(*bytes);
    }
    const JsonSlice data = member(members, "data");
    const bool is_text = data.kind == JsonValue::Kind::string;
    if (is_text && !is_json_media_type(media_type_of(type))) return event.decoded(data);
    return is_there(data) ? std::string(data.json) : std::string();
}

}  // namespace

void CloudEventsBinaryFormat::put_attribute(std::string_view name, std::string_view value,
                                            Body& body) const {
    if (value.empty()) return;
    std::string header = "ce-";
    header += name;
    const auto is_same = [&](const std::string& configured) {
        return equals_ignoring_case(configured, header);
    };
    if (std::any_of(configured_.begin(), configured_.end(), is_same)) return;
    body.head_lines.append(header).append(": ");
    append_percent_encoded(body.head_lines, value);
    body.head_lines += "\r\n";
    if (body.head_lines.size() > attribute_bytes_max) {
        throw render_error(RenderErrc::too_many_attributes);
    }
}

/// An event that came as a CloudEvent.
void CloudEventsBinaryFormat::put_cloudevent(const Event& event, Body& body) const {
    const std::unique_ptr<JsonLookup> payload = look_into(event);
    const Members members = payload->members();
    for (const auto& [name, slice] : members) {
        if (name == "data" || name == "datacontenttype" || !is_attribute_name(name)) continue;
        if (slice.kind == JsonValue::Kind::string) {
            put_attribute(name, payload->decoded(slice), body);
        } else if (slice.kind == JsonValue::Kind::scalar) {
            put_attribute(name, slice.json, body);
        }
    }
    const std::string type = content_type_of(*payload, members);
    body.text = data_of(*payload, members, type);
    const std::size_t data_bytes = body.text.size();
    // The type is kept behind the data: both are views into one text.
    body.text += type;
    body.content_type = std::string_view(body.text).substr(data_bytes);
    body.append(std::string_view(body.text).substr(0, data_bytes));
}

void CloudEventsBinaryFormat::render(Batch batch, Body& body) const {
    if (batch.size() > 1) throw render_error(RenderErrc::several_events);
    const Event& event = *batch.front();
    if (event.type() == MediaType::cloudevents) return put_cloudevent(event, body);
    for (const auto& [name, value] : attributes_of(event, type_prefix_)) {
        put_attribute(name, value, body);
    }
    body.content_type = json_type;
    body.append(event.payload());
}

}  // namespace fanfare
