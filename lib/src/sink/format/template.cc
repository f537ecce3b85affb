#include "sink/format/template.h"

#include <nlohmann/json.hpp>

#include "event/json_tokens.h"
#include "sink/format/render_error.h"

namespace fanfare {
namespace {

/// The end of the JSON string that begins at `begin`, behind its quote.
std::size_t string_end(std::string_view json, std::size_t begin) {
    std::size_t i = begin + 1;
    while (json[i] != '"') i += json[i] == '\\' ? 2 : 1;
    return i + 1;
}

std::string without_spaces(std::string_view json) {
    std::string compact;
    for (std::size_t i = 0; i < json.size();) {
        const std::size_t end = json[i] == '"' ? string_end(json, i) : i + 1;
        if (!is_json_space(json[i])) compact += json.substr(i, end - i);
        i = end;
    }
    return compact;
}

std::string without_controls(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return text;
}

Error too_large() {
    return Error("is too large; expected at most " + std::to_string(Template::bytes_max) +
                 " bytes and " + std::to_string(Template::placeholders_max) + " placeholders");
}

}  // namespace

/// Takes a valid JSON text apart.
class Template::Maker {
  public:
    explicit Maker(std::string_view json) : json_(json) {}

    Result<Template> make(Output output) {
        for (std::size_t i = 0; i < json_.size();) {
            if (json_[i] != '"') {
                if (!is_json_space(json_[i])) made_.ending_ += json_[i];
                ++i;
                continue;
            }
            const std::size_t end = string_end(json_, i);
            const Result<void> added = add_string(json_.substr(i, end - i), is_key(end), output);
            if (added.has_error()) return added.error();
            i = end;
        }
        if (made_.steps_.size() > placeholders_max) return too_large();
        return std::move(made_);
    }

  private:
    bool is_key(std::size_t end) const {
        while (end < json_.size() && is_json_space(json_[end])) ++end;
        return end < json_.size() && json_[end] == ':';
    }

    Result<void> add_string(std::string_view token, bool is_key, Output output) {
        const std::string text = nlohmann::json::parse(token).get<std::string>();
        if (is_key) {
            if (text.find("{{") != std::string::npos) {
                return Error("has a placeholder in a key; expected it in a value");
            }
            made_.ending_ += token;
            return {};
        }
        const Result<TemplateText> parts = parse_template_text(text);
        if (parts.has_error()) return parts.error();
        const Placeholder* const only =
            parts->size() == 1 ? std::get_if<Placeholder>(&parts->front()) : nullptr;
        if (output == Output::plain) {
            add_parts(*parts, Place::plain);
        } else if (only != nullptr) {
            add(*only, Place::value);
        } else {
            made_.ending_ += '"';
            add_parts(*parts, Place::string);
            made_.ending_ += '"';
        }
        return {};
    }

    void add_parts(const TemplateText& parts, Place place) {
        for (const TemplateText::value_type& part : parts) {
            if (const Placeholder* const placeholder = std::get_if<Placeholder>(&part)) {
                add(*placeholder, place);
            } else if (place == Place::plain) {
                made_.ending_ += std::get<std::string>(part);
            } else {
                append_json_text(made_.ending_, std::get<std::string>(part));
            }
        }
    }

    void add(const Placeholder& placeholder, Place place) {
        Step step{std::move(made_.ending_), placeholder.kind, 0, place};
        // The empty pointer leads to the whole.
        const bool is_event = placeholder.kind == Placeholder::Kind::event;
        if (is_event || placeholder.kind == Placeholder::Kind::pointer) {
            step.pointer = made_.pointers_.add(is_event ? "" : placeholder.pointer);
        }
        made_.steps_.push_back(std::move(step));
        made_.ending_.clear();
    }

    const std::string_view json_;
    Template made_;
};

/// Puts what comes from one event.
class Template::Renderer {
  public:
    Renderer(const Event& event, const JsonPointers& pointers, std::string& out)
        : event_(event),
          payload_(look_into(event)),
          slices_(payload_->slices(pointers)),
          begin_(out.size()),
          out_(out) {}

    void put(const Step& step) {
        out_ += step.literal;
        switch (step.kind) {
            case Placeholder::Kind::id:
                put_id(step.place);
                break;
            case Placeholder::Kind::seq:
                out_ += std::to_string(event_.seq());
                break;
            case Placeholder::Kind::event:
            case Placeholder::Kind::pointer:
                read_bytes_ += slices_[step.pointer].json.size();
                if (read_bytes_ > rendered_bytes_max) throw render_error(RenderErrc::too_large);
                put_slice(slices_[step.pointer], step.place);
                break;
        }
        if (out_.size() - begin_ > rendered_bytes_max) throw render_error(RenderErrc::too_large);
    }

  private:
    void put_id(Place place) const {
        switch (place) {
            case Place::value:
                return append_json_string(out_, event_.id());
            case Place::string:
                return append_json_text(out_, event_.id());
            case Place::plain:
                out_ += without_controls(std::string(event_.id()));
                return;
        }
    }

    void put_slice(const JsonSlice& slice, Place place) const {
        const bool is_there =
            slice.kind != JsonValue::Kind::missing && slice.kind != JsonValue::Kind::null;
        if (place == Place::value) {
            out_ += is_there ? slice.json : "null";
            return;
        }
        if (!is_there) return;
        if (slice.kind == JsonValue::Kind::string) return put_string(slice, place);
        const std::string json = without_spaces(slice.json);
        if (place == Place::string) return append_json_text(out_, json);
        out_ += without_controls(json);
    }

    void put_string(const JsonSlice& string, Place place) const {
        if (place == Place::plain) {
            out_ += without_controls(payload_->decoded(string));
        } else {
            // It is escaped already, and well.
            out_ += string.json.substr(1, string.json.size() - 2);
        }
    }

    const Event& event_;
    const std::unique_ptr<JsonLookup> payload_;
    const std::vector<JsonSlice> slices_;
    const std::size_t begin_;
    std::size_t read_bytes_ = 0;
    std::string& out_;
};

Result<Template> Template::make(std::string_view json, Output output) {
    if (json.size() > bytes_max) return too_large();
    std::string padded;
    padded.reserve(json.size() + json_padding);
    padded = json;
    if (const std::optional<JsonProblem> problem = validate_json(padded)) {
        return Error(std::string("is not valid JSON: ") + problem->message);
    }
    const bool is_string = json.find_first_not_of(" \t\r\n") == json.find('"');
    if (output == Output::plain && !is_string) return Error("is no string; expected one");
    return Maker(padded).make(output);
}

void Template::render(const Event& event, std::string& out) const {
    Renderer renderer(event, pointers_, out);
    for (const Step& step : steps_) renderer.put(step);
    out += ending_;
}

}  // namespace fanfare
