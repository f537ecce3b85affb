#include "config/format_values.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "config/schema.h"
#include "config/value.h"
#include "event/json_view.h"
#include "sink/format/placeholders.h"
#include "sink/format/template.h"

namespace fanfare {
namespace {

/// Whether a value without quotes is JSON's, too: `12`, `true`. All else is text.
bool is_json_scalar(const Scalar& scalar) {
    if (scalar.is_quoted) return false;
    const nlohmann::json value = nlohmann::json::parse(scalar.text, nullptr, false);
    return value.is_number() || value.is_boolean();
}

/// Turns YAML into JSON, in the order of the file.
class TemplateReader {
  public:
    void read(const Value& value) {
        // Aliases can make much of little: what is too large is not looked at any further.
        if (json_.size() > Template::bytes_max) return;
        if (value.is_mapping()) {
            read_mapping(value);
        } else if (value.is_sequence()) {
            read_sequence(value);
        } else if (value.is_null()) {
            json_ += "null";
        } else if (const std::optional<Scalar> scalar = value.scalar("a value")) {
            read_scalar(value, *scalar);
        } else {
            is_bad_ = true;
        }
    }

    /// Nothing if something was refused.
    std::optional<std::string> take() {
        return is_bad_ ? std::nullopt : std::optional(std::move(json_));
    }

  private:
    void refuse(const Value& value, const std::string& message) {
        is_bad_ = true;
        value.refuse(message);
    }

    void report_problems(const Value& value) {
        is_bad_ = is_bad_ || !value.node().problems.empty();
        value.report_problems();
    }

    void read_mapping(const Value& value) {
        if (value.node().entries.empty() && !value.node().problems.empty()) {
            // To YAML, {{ x }} is a mapping whose key is a mapping.
            refuse(value, R"(is no text; expected quotes around a placeholder, '{{ … }}')");
            return;
        }
        report_problems(value);
        char separator = '{';
        for (const YamlEntry& entry : value.node().entries) {
            if (entry.key.find("{{") != std::string::npos) {
                is_bad_ = true;
                value.refuse_key(entry, "has a placeholder in a key; expected it in a value");
            }
            json_ += separator;
            append_json_string(json_, entry.key);
            json_ += ':';
            read(value.entry(entry));
            separator = ',';
        }
        json_ += separator == '{' ? "{}" : "}";
    }

    void read_sequence(const Value& value) {
        report_problems(value);
        json_ += '[';
        for (std::size_t i = 0; i < value.node().items.size(); ++i) {
            if (i > 0) json_ += ',';
            read(value.item(i));
        }
        json_ += ']';
    }

    void read_scalar(const Value& value, const Scalar& scalar) {
        if (is_json_scalar(scalar)) {
            json_ += scalar.text;
            return;
        }
        const Result<TemplateText> parsed = parse_template_text(scalar.text);
        if (parsed.has_error()) refuse(value, parsed.error().message());
        append_json_string(json_, scalar.text);
    }

    std::string json_;
    bool is_bad_ = false;
};

bool has_template(const YamlNode& mapping) {
    const YamlEntry* const entry = mapping.find("template");
    return entry != nullptr && entry->value->kind != YamlNode::Kind::null;
}

}  // namespace

void read_template(const Value& value, Target& target) {
    TemplateReader reader;
    reader.read(value);
    std::optional<std::string> json = reader.take();
    if (!json) return;
    const Result<Template> made = Template::make(*json, Template::Output::json);
    if (made.has_error()) {
        value.refuse(made.error().message());
    } else {
        target.endpoint.http.body_template = std::move(*json);
    }
}

std::string template_json_schema() { return "{}"; }

std::optional<std::string> check_type_prefix(const std::string& text, const std::string& shown) {
    constexpr std::size_t bytes_max = 200;
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    };
    const bool is_prefix = !text.empty() && text.size() <= bytes_max && text.front() != '.' &&
                           text.back() != '.' && std::all_of(text.begin(), text.end(), fits);
    if (is_prefix) return std::nullopt;
    return shown +
           " is no prefix of a type; expected letters, digits and . _ - such as in "
           "\"com.example.build\"";
}

void check_format(const Value& own, const YamlNode& effective, const EndpointConfig& endpoint) {
    const bool is_templated = endpoint.http.format == BodyFormat::templated;
    if (is_templated && !has_template(effective)) {
        own.refuse_missing("template", "the body to send, because format is template");
    } else if (!is_templated && has_template(own.node())) {
        own.refuse_key(*own.node().find("template"),
                       "not used by format " + std::string(to_string(endpoint.http.format)) +
                           R"(; expected "format: template" beside it)");
    }
}

}  // namespace fanfare
