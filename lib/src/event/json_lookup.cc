#include "event/json_lookup.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include "event/json_scratch.h"

namespace fanfare {
namespace {

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

/// Follows pointers together: each value is looked at once, however many lead there.
class Collector {
  public:
    using Node = JsonPointers::Node;

    Collector(const JsonScratch& scratch, std::size_t pointers)
        : scratch_(scratch), found_(pointers) {}

    void collect(JsonTokens value, const Node& node) {
        if (!node.ending.empty()) {
            const JsonSlice slice = slice_at(value);
            for (const std::size_t number : node.ending) found_[number] = slice;
        }
        if (node.children.empty()) return;
        if (value.kind() == '{') return collect_members(value, node);
        if (value.kind() == '[' && !node.indices.empty()) collect_elements(value, node);
    }

    std::vector<JsonSlice> finish() { return std::move(found_); }

  private:
    void collect_members(JsonTokens object, const Node& node) {
        for_each_member(object, scratch_, [&](std::string_view name, const JsonTokens& value) {
            const auto child = node.children.find(name);
            if (child == node.children.end()) return;
            forget(child->second);  // what a key of that name has led to before
            collect(value, child->second);
        });
    }

    void collect_elements(const JsonTokens& array, const Node& node) {
        auto wanted = node.indices.begin();
        std::size_t at = 0;
        for_each_element(array, [&](JsonTokens& element) {
            if (at++ == wanted->first) {
                collect(element, node.children.find(wanted->second)->second);
                if (++wanted == node.indices.end()) return false;
            }
            element.skip();
            return true;
        });
    }

    void forget(const Node& node) {
        for (const std::size_t number : node.ending) found_[number] = {};
        for (const auto& [token, child] : node.children) forget(child);
    }

    const JsonScratch& scratch_;
    std::vector<JsonSlice> found_;
};

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

std::vector<JsonSlice> JsonLookup::slices(const JsonPointers& pointers) const {
    Collector collector(*walk_->scratch, pointers.size());
    collector.collect(walk_->root, pointers.root());
    return collector.finish();
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
