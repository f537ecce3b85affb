#include "server/cloudevents_binary.h"

#include <array>
#include <map>
#include <utility>

#include "base/base64.h"
#include "base/percent.h"
#include "event/attribute_name.h"
#include "http/fields.h"
#include "http/media_type.h"

namespace fanfare {
namespace {

constexpr std::string_view field_prefix = "ce-";

Refusal header_refusal(std::string_view name, std::string_view problem) {
    std::string message = "`ce-";
    message += name;
    message += "` ";
    message += problem;
    return {400, "HEADER_INVALID", std::move(message), {}};
}

/// `"a\"b"` → `a"b`: some senders write values as quoted strings.
std::string unquoted(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
    value = value.substr(1, value.size() - 2);
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        text += value[i];
    }
    return text;
}

/// Whether the bytes of a text body can stand in JSON as they are.
bool is_text(std::string_view content_type, std::string_view media_type, std::string_view body) {
    static constexpr std::string_view text = "text/";
    if (!equals_ignoring_case(media_type.substr(0, text.size()), text)) return false;
    const std::string parameters = lower_case(content_type);
    const std::size_t charset = parameters.find("charset=");
    const bool is_other_charset = charset != std::string::npos &&
                                  parameters.find("utf-8", charset) == std::string::npos &&
                                  parameters.find("us-ascii", charset) == std::string::npos;
    return !is_other_charset && is_utf8(body);
}

/// Builds the object member by member.
class Builder {
  public:
    explicit Builder(std::size_t bytes) { text_.reserve(bytes); }

    void add_string(std::string_view name, std::string_view value) {
        add_name(name);
        append_json_string(text_, value);
    }

    void add_json(std::string_view name, std::string_view json) {
        add_name(name);
        text_ += json;
    }

    std::size_t size_bytes() const noexcept { return text_.size(); }

    std::string finish() {
        text_ += '}';
        text_.reserve(text_.size() + json_padding);
        return std::move(text_);
    }

  private:
    void add_name(std::string_view name) {
        text_ += text_.empty() ? '{' : ',';
        append_json_string(text_, name);
        text_ += ':';
    }

    std::string text_;
};

/// By name: the order of fields means nothing.
using Attributes = std::map<std::string, std::string>;

std::variant<Attributes, Refusal> read_attributes(const RequestHead& head) {
    Attributes attributes;
    for (const Field& field : head.fields) {
        if (!equals_ignoring_case(field.name.substr(0, field_prefix.size()), field_prefix))
            continue;
        const std::string name = lower_case(field.name.substr(field_prefix.size()));
        if (!is_attribute_name(name)) return header_refusal(name, "is no name of an attribute");
        if (name == "data") return header_refusal(name, "is not allowed: data is the body");
        if (name == "datacontenttype") {
            return header_refusal(name, "is not allowed: Content-Type says it");
        }
        std::optional<std::string> text = percent_decoded(unquoted(field.value));
        if (!text) return header_refusal(name, "holds a `%` that begins no escape");
        if (!is_utf8(*text)) return header_refusal(name, "is not valid UTF-8");
        if (name == "specversion" && *text != "1.0") {
            return header_refusal(name, "must be 1.0");
        }
        // An empty value is as good as none, also for what is required.
        if (attributes.contains(name)) return header_refusal(name, "is given twice");
        if (!text->empty()) attributes.emplace(name, std::move(*text));
    }
    static constexpr std::array<std::string_view, 4> required = {"specversion", "id", "source",
                                                                 "type"};
    for (const std::string_view name : required) {
        if (!attributes.contains(std::string(name))) return header_refusal(name, "is required");
    }
    return attributes;
}

/// CloudEvents' extension for distributed tracing.
bool is_of_trace(std::string_view name) { return name == "traceparent" || name == "tracestate"; }

void add_attributes(const Attributes& attributes, bool of_trace, Builder& builder) {
    for (const auto& [name, value] : attributes) {
        if (is_of_trace(name) == of_trace) builder.add_string(name, value);
    }
}

Refusal data_refusal(const JsonProblem& problem) {
    const std::string offset = std::to_string(problem.offset);
    return {
        400, "BODY_INVALID",
        std::string("the data is not valid JSON: ") + problem.message + " (byte " + offset + ")",
        "{\"offset\":" + offset + ",\"index\":0}"};
}

/// What the body says.
std::optional<Refusal> add_data(const RequestHead& head, std::string_view body, Builder& builder) {
    const std::string_view content_type = head.find(FieldName::content_type).value_or("");
    const std::string_view media_type = media_type_of(content_type);
    if (!media_type.empty()) {
        if (!is_utf8(content_type)) {
            return Refusal{400, "HEADER_INVALID", "`Content-Type` is not valid UTF-8", {}};
        }
        builder.add_string("datacontenttype", content_type);
    }
    if (body.empty()) return std::nullopt;

    // Without a Content-Type a CloudEvent's data is JSON, as everywhere in its JSON format.
    if (media_type.empty() || is_json_media_type(media_type)) {
        if (const std::optional<JsonProblem> problem = validate_json(body)) {
            return data_refusal(*problem);
        }
        builder.add_json("data", body);
    } else if (is_text(content_type, media_type, body)) {
        builder.add_string("data", body);
    } else {
        builder.add_string("data_base64", base64(body));
    }
    return std::nullopt;
}

}  // namespace

std::variant<StructuredCloudEvent, Refusal> structured_cloudevent(const RequestHead& head,
                                                                  std::string_view body) {
    std::variant<Attributes, Refusal> read = read_attributes(head);
    if (Refusal* const refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
    const Attributes& attributes = std::get<Attributes>(read);
    Builder builder(body.size() + 512);
    add_attributes(attributes, false, builder);
    if (std::optional<Refusal> refusal = add_data(head, body, builder)) return std::move(*refusal);
    StructuredCloudEvent event;
    event.identity_bytes = builder.size_bytes();
    add_attributes(attributes, true, builder);
    event.text = builder.finish();
    return event;
}

}  // namespace fanfare
