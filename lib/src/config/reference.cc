#include "config/reference.h"

#include <algorithm>

#include "config/describe.h"
#include "config/schema.h"

namespace fanfare {
namespace {

constexpr const char* yaml_head =
    R"(# Every key of Fanfare's configuration at its default: this file changes nothing as it stands.
# A key that has no default is commented out and shows an example. Written by the program itself.
#
# Durations have a unit (500ms, 1m1.5s, 2h), sizes may have one (64KiB, 1GiB). ${NAME} and
# ${NAME:-default} are replaced from the environment; put them in quotes inside of [] and {}.
)";

constexpr const char* yaml_tail = R"(#  - name: audit
#    url: https://audit.example.com/hook?source=registry
#    headers: {Authorization: ['Bearer ${TOKEN}']}
#    ignore: {actions: [pull]}
)";

/// Writes YAML with comments, line by line.
class YamlWriter {
  public:
    void mapping(const std::vector<Key>& keys) {
        for (const Key& key : keys) write(key);
    }

    void write(const Key& key) {
        if (indent_ == 0) text_ += '\n';
        const bool was_commented = is_commented_;
        is_commented_ = was_commented || !has_default(key);
        const std::string bounds = bounds_text(key);
        comment(key.description + (bounds.empty() ? "" : " (" + bounds + ")"));
        if (const auto* const mapping_kind = std::get_if<MappingKind>(&key.kind)) {
            line(key.name + ":");
            nested(mapping_kind->keys);
        } else {
            const std::string value = default_value(key);
            line(key.name + ": " + (value.empty() ? key.example : value));
        }
        is_commented_ = was_commented;
    }

    void nested(const std::vector<Key>& keys) {
        indent_ += 2;
        mapping(keys);
        indent_ -= 2;
    }

    void line(const std::string& text) {
        text_ += std::string(indent_, ' ') + (is_commented_ ? "# " : "") + text + "\n";
    }

    /// Breaks the text into lines of comment.
    void comment(const std::string& text) {
        constexpr std::size_t columns = 96;
        std::string out;
        for (std::size_t start = 0; start < text.size();) {
            const std::size_t end = std::min(text.find(' ', start), text.size());
            const std::string word = text.substr(start, end - start);
            if (!out.empty() && indent_ + out.size() + 1 + word.size() > columns) {
                remark(out);
                out.clear();
            }
            out += (out.empty() ? "" : " ") + word;
            start = end + 1;
        }
        remark(out);
    }

    std::string& text() { return text_; }

  private:
    static bool has_default(const Key& key) {
        if (const auto* const mapping_kind = std::get_if<MappingKind>(&key.kind)) {
            const auto& keys = mapping_kind->keys;
            const auto is_required = [](const Key& inner) { return inner.is_required; };
            return std::none_of(keys.begin(), keys.end(), is_required) &&
                   std::any_of(keys.begin(), keys.end(), has_default);
        }
        return !default_value(key).empty();
    }

    void remark(const std::string& text) {
        text_ += std::string(indent_, ' ') + "# " + text + "\n";
    }

    std::string text_;
    std::size_t indent_ = 0;
    bool is_commented_ = false;
};

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

void add_rows(const std::vector<Key>& keys, const std::string& prefix, std::string& out) {
    for (const Key& key : keys) {
        const std::string path = prefix + key.name;
        // What quotes a key or says it in words is no value.
        const std::string value = default_text(key);
        const bool is_value = value.find('`') == std::string::npos;
        const std::string shown = key.is_required ? "required" : is_value ? code(value) : value;
        const std::string bounds = bounds_text(key);
        out += "| " + code(path) + " | " + type_text(key) + " | " + shown + " | " + bounds + " | " +
               key.description + " |\n";
        if (const auto* const mapping = std::get_if<MappingKind>(&key.kind)) {
            add_rows(mapping->keys, path + ".", out);
        }
    }
}

}  // namespace

std::string config_reference_markdown() {
    const Schema schema = make_schema();
    const std::string head =
        "| Key | Type | Default | Bounds | What it does |\n"
        "|---|---|---|---|---|\n";
    std::string out = head;
    add_rows(schema.top, "", out);
    out += "\nOf an endpoint:\n\n" + head;
    add_rows(schema.endpoint, "endpoints[].", out);
    return out;
}

std::string config_default_yaml() {
    const Schema schema = make_schema();
    std::vector<Key> endpoint_keys;
    for (const Key& key : schema.endpoint) {
        if (!key.is_required) endpoint_keys.push_back(key);
    }
    YamlWriter writer;
    writer.text() = yaml_head;
    for (const Key& key : schema.top) {
        const auto* const endpoints = std::get_if<EndpointsKind>(&key.kind);
        if (endpoints == nullptr) {
            writer.write(key);
            continue;
        }
        writer.text() += '\n';
        writer.comment(key.description);
        switch (endpoints->form) {
            case EndpointsKind::Form::defaults:
                writer.line("defaults:");
                writer.nested(endpoint_keys);
                break;
            case EndpointsKind::Form::list:
                writer.line("endpoints: []");
                writer.text() += yaml_tail;
                break;
            case EndpointsKind::Form::notifications:
                writer.text() += "# notifications: {endpoints: []}\n";
                break;
        }
    }
    return writer.text();
}

}  // namespace fanfare
