#include "event/json_view.h"

#include <new>
#include <utility>

#include "event/json_scratch.h"

namespace fanfare {
namespace {

/// A thread's parsers, for the time of a call.
class Loan {
  public:
    Loan() : scratch_(take_scratch()) {}
    ~Loan() { give_back(std::move(scratch_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    JsonScratch* operator->() const noexcept { return scratch_.get(); }
    JsonScratch& operator*() const noexcept { return *scratch_; }

  private:
    std::unique_ptr<JsonScratch> scratch_;
};

/// Finds the events of one text.
class EventVisitor {
  public:
    EventVisitor(JsonScratch& scratch, std::string_view text, KeptTexts& kept,
                 const std::function<bool(const EventView&)>& visit)
        : scratch_(scratch), text_(trimmed(text)), begin_(text.data()), kept_(kept), visit_(visit) {
        start(scratch, text);
    }

    std::optional<JsonProblem> run(JsonLayout layout) {
        const char first = text_.front();
        const bool takes_list = layout == JsonLayout::list || layout == JsonLayout::any;
        if (first == '[' && takes_list) return visit_list(scratch_.document.get_array());
        if (first == '{' && layout == JsonLayout::single) return visit_whole();
        if (first == '{' && layout != JsonLayout::list) return visit_object(layout);
        return problem(text_.data(), expectation(layout));
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

    JsonProblem problem(const char* at, const char* message,
                        std::optional<std::size_t> index = std::nullopt) const {
        return {static_cast<std::size_t>(at - begin_), message, index};
    }

    const char* end() const { return text_.data() + text_.size(); }

    std::optional<JsonProblem> visit_whole() {
        EventView event;
        event.payload = text_;
        read_event(scratch_.document.get_object(), event);
        visit_(event);
        return std::nullopt;
    }

    /// An envelope or, where that is allowed, an event. The keys are looked at first, because only
    /// the last `events` counts.
    std::optional<JsonProblem> visit_object(JsonLayout layout) {
        std::size_t members = 0;
        std::size_t last = 0;
        const char* events = nullptr;
        const auto look = [&](std::string_view name, ondemand::value value) {
            ++members;
            if (name != "events") return;
            last = members;
            events = std::string_view(value.raw_json_token()).data();
        };
        for_each_member(scratch_.ondemand, scratch_.document.get_object(), end(), look);
        scratch_.document.rewind();
        if (events != nullptr && *events == '[') return visit_member(last);
        if (layout == JsonLayout::any) return visit_whole();
        if (members == 0) return std::nullopt;
        return problem(events != nullptr ? events : text_.data(), expectation(layout));
    }

    std::optional<JsonProblem> visit_member(std::size_t number) {
        for (simdjson::simdjson_result<ondemand::field> field : scratch_.document.get_object()) {
            if (--number == 0) return visit_list(field.value().get_array());
        }
        return std::nullopt;
    }

    std::optional<JsonProblem> visit_list(ondemand::array array) {
        std::size_t index = 0;
        for (simdjson::simdjson_result<ondemand::value> element : array) {
            ondemand::value value = element.value();
            const char* at = std::string_view(value.raw_json_token()).data();
            if (*at != '{') return problem(at, "an event must be an object", index);
            EventView event;
            read_event(value.get_object(), event);
            // Here the next token is the `,` or `]` behind the event.
            const char* const behind = scratch_.document.current_location();
            event.payload = trimmed({at, static_cast<std::size_t>(behind - at)});
            if (!visit_(event)) return std::nullopt;
            ++index;
        }
        return std::nullopt;
    }

    void read_event(ondemand::object object, EventView& event) {
        struct {
            RawValue id, action, media_type, source, specversion, type, data, data_base64;
        } raw;
        const auto look = [&](std::string_view name, ondemand::value value) {
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
                *wanted = read_value(value, end());
            }
        };
        for_each_member(scratch_.ondemand, object, end(), look);
        event.id = finished(raw.id);
        event.action = finished(raw.action);
        event.target_media_type = finished(raw.media_type);
        event.source = finished(raw.source);
        event.specversion = finished(raw.specversion);
        event.type = finished(raw.type);
        event.data = finished(raw.data);
        event.data_base64 = finished(raw.data_base64);
    }

    RawValue read_media_type(ondemand::value target) {
        RawValue media_type;
        if (target.type() != ondemand::json_type::object) return media_type;
        const auto look = [&](std::string_view name, ondemand::value value) {
            if (name == "mediaType") media_type = read_value(value, end());
        };
        for_each_member(scratch_.ondemand, target.get_object(), end(), look);
        return media_type;
    }

    JsonValue finished(const RawValue& raw) {
        if (!raw.has_escape) return {raw.kind, raw.token};
        return {raw.kind, kept_.emplace_front(decoded(scratch_.ondemand, raw.token))};
    }

    JsonScratch& scratch_;
    const std::string_view text_;
    const char* const begin_;
    KeptTexts& kept_;
    const std::function<bool(const EventView&)>& visit_;
};

}  // namespace

std::optional<JsonProblem> validate_json(std::string_view padded) {
    const Loan loan;
    // simdjson refuses numbers that fit no C++ type and tells no place, so its no is not final.
    const bool is_ready =
        loan->dom.capacity() != 0 || loan->dom.allocate(1024, json_depth_max) == simdjson::SUCCESS;
    if (!is_ready) throw std::bad_alloc();
    const bool is_good =
        loan->dom.parse(padded.data(), padded.size(), false).error() == simdjson::SUCCESS;
    return is_good ? std::nullopt : check_json(padded, json_depth_max);
}

bool is_utf8(std::string_view text) noexcept {
    return simdjson::validate_utf8(text.data(), text.size());
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
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
    out += '"';
}

std::optional<JsonProblem> visit_events(std::string_view valid, JsonLayout layout, KeptTexts& kept,
                                        const std::function<bool(const EventView&)>& visit) {
    const Loan loan;
    return EventVisitor(*loan, valid, kept, visit).run(layout);
}

}  // namespace fanfare
