#include "event/json_lookup.h"

#include <optional>
#include <stdexcept>
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

/// Where a value begins, if there is one.
using Found = std::optional<JsonTokens>;

/// Walks down a pointer; the recursion is as deep as the pointer is long.
class Finder {
  public:
    explicit Finder(const JsonScratch& scratch) : scratch_(scratch) {}

    Found find_member(JsonTokens object, std::string_view name, std::string_view rest) const {
        Found found;
        for_each_member(object, scratch_, [&](std::string_view key, const JsonTokens& value) {
            if (key == name) found = find(value, rest);
        });
        return found;
    }

  private:
    Found find(const JsonTokens& value, std::string_view pointer) const {
        if (pointer.empty()) return value;
        const std::string token = take_token(pointer);
        if (value.kind() == '{') return find_member(value, token, pointer);
        const std::optional<std::size_t> index = index_of(token);
        Found found;
        if (value.kind() != '[' || !index) return found;
        std::size_t at = 0;
        for_each_element(value, [&](JsonTokens& element) {
            if (at++ == *index) {
                found = find(element, pointer);
                return false;
            }
            element.skip();
            return true;
        });
        return found;
    }

    const JsonScratch& scratch_;
};

JsonValue finish(const JsonScratch& scratch, const Found& found, std::string& buffer) {
    if (!found) return {};
    const RawValue raw = found->value();
    if (!raw.has_escape) return {raw.kind, raw.token};
    buffer = scratch.decoded(raw.token);
    return {raw.kind, buffer};
}

JsonSlice slice_at(JsonTokens tokens) {
    const RawValue value = tokens.value();
    switch (value.kind) {
        case JsonValue::Kind::container: {
            const char* const begin = tokens.at();
            tokens.skip();
            return {value.kind, tokens.since(begin)};
        }
        case JsonValue::Kind::string:
            return {value.kind, {value.token.data() - 1, value.token.size() + 2}};
        case JsonValue::Kind::scalar:
        case JsonValue::Kind::null:
            return {value.kind, value.token};
        case JsonValue::Kind::missing:
            break;
    }
    return {};
}

JsonTokens padded_copy(JsonScratch& scratch, std::string_view payload) {
    scratch.text.reserve(payload.size() + json_padding);
    scratch.text = payload;
    const bool is_json = !parse(scratch, scratch.text);
    const JsonTokens root = tokens_of(scratch, scratch.text);
    if (!is_json || root.kind() != '{') throw std::invalid_argument("a payload is a JSON object");
    return root;
}

}  // namespace

struct JsonLookup::Walk {
    explicit Walk(std::string_view payload) : root(padded_copy(*scratch, payload)) {}

    JsonLoan scratch;
    JsonTokens root;
};

JsonLookup::JsonLookup(std::string_view payload) : walk_(std::make_unique<Walk>(payload)) {}

JsonLookup::~JsonLookup() = default;

JsonValue JsonLookup::find(std::string_view pointer) {
    if (pointer.empty()) return {JsonValue::Kind::container, {}};
    if (pointer.front() != '/') return {};
    const std::string token = take_token(pointer);
    const Found found = Finder(*walk_->scratch).find_member(walk_->root, token, pointer);
    return finish(*walk_->scratch, found, decoded_);
}

JsonValue JsonLookup::find_member(std::string_view name) {
    const Found found = Finder(*walk_->scratch).find_member(walk_->root, name, {});
    return finish(*walk_->scratch, found, decoded_);
}

JsonSlice JsonLookup::slice(std::string_view pointer) const {
    if (pointer.empty()) return slice_at(walk_->root);
    if (pointer.front() != '/') return {};
    const std::string token = take_token(pointer);
    const Found found = Finder(*walk_->scratch).find_member(walk_->root, token, pointer);
    return found ? slice_at(*found) : JsonSlice();
}

std::map<std::string, JsonSlice> JsonLookup::members() const {
    std::map<std::string, JsonSlice> all;
    JsonTokens tokens = walk_->root;
    for_each_member(tokens, *walk_->scratch, [&](std::string_view name, const JsonTokens& value) {
        all.insert_or_assign(std::string(name), slice_at(value));
    });
    return all;
}

std::string JsonLookup::decoded(const JsonSlice& string) const {
    // The decoder stops at the quote that ends the string.
    return walk_->scratch->decoded(string.json.substr(1));
}

}  // namespace fanfare
