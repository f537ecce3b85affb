#include "event/json_view.h"

#include <utility>

#include "event/json_scratch.h"

namespace fanfare {
namespace {

/// Finds the events of one text.
class EventVisitor {
  public:
    EventVisitor(const JsonScratch& scratch, std::string_view text, KeptTexts& kept,
                 const std::function<bool(const EventView&)>& visit)
        : scratch_(scratch), text_(text), kept_(kept), visit_(visit) {}

    std::optional<JsonProblem> run(JsonLayout layout) {
        JsonTokens root = tokens_of(scratch_, text_);
        const bool takes_list = layout == JsonLayout::list || layout == JsonLayout::any;
        if (root.kind() == '[' && takes_list) return visit_list(root);
        if (root.kind() == '{' && layout == JsonLayout::single) return visit_one(root);
        if (root.kind() == '{' && layout != JsonLayout::list) return visit_object(root, layout);
        return problem(root, expectation(layout));
    }

  private:
    static const char* expectation(JsonLayout layout) {
        switch (layout) {
            case JsonLayout::envelope:
                return "an object with an array `events` was expected";
            case JsonLayout::any:
                return "an event, an array or an envelope of events was expected";
            case JsonLayout::single:
                return "an object was expected: one event";
            case JsonLayout::list:
                return "an array of events was expected";
        }
        return "";
    }

    JsonProblem problem(const JsonTokens& at, const char* message,
                        std::optional<std::size_t> index = std::nullopt) const {
        return {static_cast<std::size_t>(at.at() - text_.data()), message, index};
    }

    std::optional<JsonProblem> visit_one(JsonTokens object) {
        const EventView event = read_event(object);
        visit_(event);
        return std::nullopt;
    }

    /// An envelope or, where that is allowed, an event. All keys are looked at first, because only
    /// the last `events` counts.
    std::optional<JsonProblem> visit_object(JsonTokens object, JsonLayout layout) {
        bool is_empty = true;
        std::optional<JsonTokens> events;
        JsonTokens tokens = object;
        for_each_member(tokens, scratch_, [&](std::string_view name, const JsonTokens& value) {
            is_empty = false;
            if (name == "events") events = value;
        });
        if (events && events->kind() == '[') return visit_list(*events);
        if (layout == JsonLayout::any) return visit_one(object);
        if (is_empty) return std::nullopt;
        return problem(events.value_or(object), expectation(layout));
    }

    std::optional<JsonProblem> visit_list(JsonTokens list) {
        std::optional<JsonProblem> found;
        std::size_t index = 0;
        for_each_element(list, [&](JsonTokens& element) {
            if (element.kind() != '{') {
                found = problem(element, "an event must be an object", index);
                return false;
            }
            ++index;
            const EventView event = read_event(element);
            return visit_(event);
        });
        return found;
    }

    /// Steps over the event.
    EventView read_event(JsonTokens& object) {
        struct {
            RawValue id, action, media_type, source, specversion, type, data, data_base64;
        } raw;
        const char* const begin = object.at();
        for_each_member(object, scratch_, [&](std::string_view name, const JsonTokens& value) {
            if (name == "target") {
                raw.media_type = read_media_type(value);
            } else if (RawValue* const wanted = name == "id"            ? &raw.id
                                                : name == "action"      ? &raw.action
                                                : name == "source"      ? &raw.source
                                                : name == "specversion" ? &raw.specversion
                                                : name == "type"        ? &raw.type
                                                : name == "data"        ? &raw.data
                                                : name == "data_base64" ? &raw.data_base64
                                                                        : nullptr) {
                *wanted = value.value();
            }
        });
        EventView event;
        event.payload = object.since(begin);
        event.id = finished(raw.id);
        event.action = finished(raw.action);
        event.target_media_type = finished(raw.media_type);
        event.source = finished(raw.source);
        event.specversion = finished(raw.specversion);
        event.type = finished(raw.type);
        event.data = finished(raw.data);
        event.data_base64 = finished(raw.data_base64);
        return event;
    }

    RawValue read_media_type(JsonTokens target) {
        RawValue media_type;
        if (target.kind() != '{') return media_type;
        for_each_member(target, scratch_, [&](std::string_view name, const JsonTokens& value) {
            if (name == "mediaType") media_type = value.value();
        });
        return media_type;
    }

    JsonValue finished(const RawValue& raw) {
        if (!raw.has_escape) return {raw.kind, raw.token};
        return {raw.kind, kept_.emplace_front(scratch_.decoded(raw.token))};
    }

    const JsonScratch& scratch_;
    const std::string_view text_;
    KeptTexts& kept_;
    const std::function<bool(const EventView&)>& visit_;
};

}  // namespace

std::optional<JsonProblem> validate_json(std::string_view padded) {
    const JsonLoan scratch;
    return parse(*scratch, padded);
}

bool is_utf8(std::string_view text) noexcept {
    return simdjson::validate_utf8(text.data(), text.size());
}

void append_json_text(std::string& out, std::string_view text) {
    static constexpr std::string_view hex = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        } else {
            out += c;
        }
    }
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    append_json_text(out, text);
    out += '"';
}

std::optional<JsonProblem> visit_events(std::string_view padded, JsonLayout layout, KeptTexts& kept,
                                        const std::function<bool(const EventView&)>& visit) {
    const JsonLoan scratch;
    if (const std::optional<JsonProblem> problem = parse(*scratch, padded)) return problem;
    return EventVisitor(*scratch, padded, kept, visit).run(layout);
}

}  // namespace fanfare
