#include "event/json_lookup.h"

#include <optional>
#include <utility>

#include "event/json_scratch.h"

namespace fanfare {
namespace {

/// The first reference token of a pointer that begins with `/`, which is removed from it.
std::string take_token(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    std::string token;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool is_escape = raw[i] == '~' && i + 1 < raw.size();
        if (is_escape && (raw[i + 1] == '0' || raw[i + 1] == '1')) {
            token += raw[++i] == '0' ? '~' : '/';
        } else {
            token += raw[i];
        }
    }
    return token;
}

/// What an array index in a pointer says; nothing if it is none (RFC 6901: no leading zeros).
std::optional<std::size_t> index_of(std::string_view token) {
    const bool is_index = !token.empty() && token.size() <= 9 &&
                          (token.size() == 1 || token.front() != '0') &&
                          token.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_index) return std::nullopt;
    std::size_t index = 0;
    for (const char c : token) index = index * 10 + static_cast<std::size_t>(c - '0');
    return index;
}

/// Walks down a pointer; the recursion is as deep as the pointer is long.
class Finder {
  public:
    Finder(JsonScratch& scratch) : scratch_(scratch) {}

    RawValue find_member(ondemand::object object, std::string_view name, std::string_view rest) {
        RawValue found;
        const auto look = [&](std::string_view key, ondemand::value value) {
            if (key == name) found = find(value, rest);
        };
        for_each_member(scratch_.ondemand, object, end(), look);
        return found;
    }

  private:
    RawValue find(ondemand::value value, std::string_view pointer) {
        if (pointer.empty()) return read_value(value, end());
        const std::string token = take_token(pointer);
        const ondemand::json_type type = value.type();
        if (type == ondemand::json_type::object) {
            return find_member(value.get_object(), token, pointer);
        }
        const std::optional<std::size_t> index = index_of(token);
        if (type != ondemand::json_type::array || !index) return {};
        std::size_t at = 0;
        RawValue found;
        for (simdjson::simdjson_result<ondemand::value> element : value.get_array()) {
            if (at++ == *index) found = find(element.value(), pointer);
        }
        return found;
    }

    const char* end() const { return scratch_.text.data() + scratch_.text.size(); }

    JsonScratch& scratch_;
};

JsonValue finish(const JsonScratch& scratch, const RawValue& raw, std::string& buffer) {
    if (!raw.has_escape) return {raw.kind, raw.token};
    buffer = decoded(scratch.ondemand, raw.token);
    return {raw.kind, buffer};
}

}  // namespace

JsonLookup::JsonLookup(std::string_view payload) : scratch_(take_scratch()) {
    scratch_->text.reserve(payload.size() + json_padding);
    scratch_->text = payload;
    start(*scratch_, scratch_->text);
}

JsonLookup::~JsonLookup() { give_back(std::move(scratch_)); }

JsonValue JsonLookup::find(std::string_view pointer) {
    if (pointer.empty()) return {JsonValue::Kind::container, {}};
    if (pointer.front() != '/') return {};
    const std::string token = take_token(pointer);
    scratch_->document.rewind();
    const RawValue raw =
        Finder(*scratch_).find_member(scratch_->document.get_object(), token, pointer);
    return finish(*scratch_, raw, decoded_);
}

JsonValue JsonLookup::find_member(std::string_view name) {
    scratch_->document.rewind();
    const RawValue raw = Finder(*scratch_).find_member(scratch_->document.get_object(), name, {});
    return finish(*scratch_, raw, decoded_);
}

}  // namespace fanfare
