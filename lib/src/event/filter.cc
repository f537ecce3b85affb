#include "fanfare/filter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "event/glob.h"
#include "event/json_lookup.h"

namespace fanfare {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) noexcept {
    return std::find(list.begin(), list.end(), text) != list.end();
}

/// The fields of one event. Its payload is looked into only when a rule needs that.
class Fields {
  public:
    explicit Fields(const Event& event) : event_(event) {}

    JsonValue find(std::string_view field) {
        // These were read when the event came in; empty may also mean that they are no strings.
        if (field == "/action" && !event_.action().empty()) return known(event_.action());
        if (field == "/target/mediaType" && !event_.target_media_type().empty()) {
            return known(event_.target_media_type());
        }
        if (!lookup_) lookup_.emplace(event_.payload());
        const bool is_pointer = field.empty() || field.front() == '/';
        return is_pointer ? lookup_->find(field) : lookup_->find_member(field);
    }

  private:
    static JsonValue known(std::string_view text) { return {JsonValue::Kind::string, text}; }

    const Event& event_;
    std::optional<JsonLookup> lookup_;
};

bool fits(MatchRule::Op op, std::string_view text, std::string_view value) {
    switch (op) {
        case MatchRule::Op::in:
        case MatchRule::Op::not_in:
            return text == value;
        case MatchRule::Op::prefix:
            return text.starts_with(value);
        case MatchRule::Op::suffix:
            return text.ends_with(value);
        case MatchRule::Op::glob:
            return matches_glob(value, text);
        case MatchRule::Op::exists:
        case MatchRule::Op::absent:
            break;
    }
    return false;
}

bool all_hold(const std::vector<MatchRule>& rules, Fields& fields);

bool holds(const MatchRule& rule, Fields& fields) {
    if (!rule.any.empty()) {
        const auto is_met = [&](const auto& rules) { return all_hold(rules, fields); };
        return std::any_of(rule.any.begin(), rule.any.end(), is_met);
    }
    const JsonValue value = fields.find(rule.field);
    const bool is_there = value.kind != JsonValue::Kind::missing;
    if (rule.op == MatchRule::Op::exists) return is_there;
    if (rule.op == MatchRule::Op::absent) return !is_there;
    // Objects and arrays have no text that could be compared; they fit no value.
    const bool has_text = is_there && value.kind != JsonValue::Kind::container;
    const auto is_fit = [&](const std::string& v) { return fits(rule.op, value.text, v); };
    const bool fits_any = has_text && std::any_of(rule.values.begin(), rule.values.end(), is_fit);
    return fits_any != (rule.op == MatchRule::Op::not_in);
}

bool all_hold(const std::vector<MatchRule>& rules, Fields& fields) {
    const auto is_met = [&](const MatchRule& rule) { return holds(rule, fields); };
    return std::all_of(rules.begin(), rules.end(), is_met);
}

}  // namespace

IgnoreFilter::IgnoreFilter(std::vector<std::string> media_types, std::vector<std::string> actions)
    : media_types_(std::move(media_types)), actions_(std::move(actions)) {}

bool IgnoreFilter::wants(const Event& event) const noexcept {
    return !contains(media_types_, event.target_media_type()) &&
           !contains(actions_, event.action());
}

bool MatchFilter::wants(const Event& event) const noexcept {
    try {
        Fields fields(event);
        return all_hold(rules_, fields);
    } catch (...) {
        // Out of memory, or a payload that did not come through ingest and is no JSON: rather too
        // much is delivered than an accepted event is lost as "ignored".
        return true;
    }
}

bool AllOfFilter::wants(const Event& event) const noexcept {
    const auto is_met = [&](const std::unique_ptr<Filter>& part) { return part->wants(event); };
    return std::all_of(parts_.begin(), parts_.end(), is_met);
}

}  // namespace fanfare
