#include "server/cloudevents_binary.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/base64.h"
#include "base/percent.h"
#include "http/fields.h"
#include "http/media_type.h"

namespace fanfare {
namespace {

constexpr std::string_view prefix = "ce-";

Refusal header_refusal(std::string_view name, std::string_view problem) {
    std::string message = "`ce-";
    message += name;
    message += "` ";
    message += problem;
    return {400, "HEADER_INVALID", std::move(message), {}};
}

bool is_attribute_name(std::string_view name) {
    const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
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

std::optional<Refusal> add_attributes(const RequestHead& head, Builder& builder) {
    std::set<std::string> seen;
    for (const Field& field : head.fields) {
        if (!equals_ignoring_case(field.name.substr(0, prefix.size()), prefix)) continue;
        const std::string name = lower_case(field.name.substr(prefix.size()));
        if (!is_attribute_name(name)) return header_refusal(name, "is no name of an attribute");
        if (name == "data") return header_refusal(name, "is not allowed: data is the body");
        if (name == "datacontenttype") {
            return header_refusal(name, "is not allowed: Content-Type says it");
        }
        if (!seen.insert(name).second) return header_refusal(name, "is given twice");
        const std::optional<std::string> text = percent_decoded(unquoted(field.value));
        if (!text) return header_refusal(name, "holds a `%` that begins no escape");
        if (!is_utf8(*text)) return header_refusal(name, "is not valid UTF-8");
        if (name == "specversion" && *text != "1.0") {
            return header_refusal(name, "must be 1.0");
        }
        if (!text->empty()) {
            builder.add_string(name, *text);
        } else {
            seen.erase(name);  // An empty value is as good as none, also for what is required.
        }
    }
    static constexpr std::array<std::string_view, 4> required = {"specversion", "id", "source",
                                                                 "type"};
    for (const std::string_view name : required) {
        if (!seen.contains(std::string(name))) return header_refusal(name, "is required");
    }
    return std::nullopt;
}

Refusal data_refusal(const JsonProblem& problem) {
    const std::string offset = std::to_string(problem.offset);
    return {
        400, "BODY_INVALID",
        std::string("the data is not valid JSON: ") + problem.message + " (byte " + offset + ")",
        "{\"offset\":" + offset + ",\"index\":0}"};
}

}  // namespace

std::variant<std::string, Refusal> structured_cloudevent(const RequestHead& head,
                                                         std::string_view body) {
    Builder builder(body.size() + 512);
    if (std::optional<Refusal> refusal = add_attributes(head, builder)) return std::move(*refusal);
    const std::string_view content_type = head.find(FieldName::content_type).value_or("");
    const std::string_view media_type = media_type_of(content_type);
    if (!media_type.empty()) {
        if (!is_utf8(content_type)) {
            return Refusal{400, "HEADER_INVALID", "`Content-Type` is not valid UTF-8", {}};
        }
        builder.add_string("datacontenttype", content_type);
    }
    if (body.empty()) return builder.finish();

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
    return builder.finish();
}

}  // namespace fanfare
