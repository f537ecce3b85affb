#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "event/json_view.h"

// What the json_*.cc files share. simdjson.h is heavy: nothing else may include this.

namespace fanfare {

namespace ondemand = simdjson::ondemand;

/// Parsers with their buffers, and room for a copy of a text.
struct JsonScratch {
    simdjson::dom::parser dom;
    ondemand::parser ondemand;
    ondemand::document document;
    std::string text;
};

/// This thread's parsers, or new ones; give_back() returns them for the next taker.
std::unique_ptr<JsonScratch> take_scratch();
void give_back(std::unique_ptr<JsonScratch> scratch) noexcept;

/// A value whose strings are not decoded yet: only the last of repeated keys is worth that.
struct RawValue {
    JsonValue::Kind kind = JsonValue::Kind::missing;
    std::string_view token;  ///< of a string what is between the quotes, of other scalars all
    bool has_escape = false;
};

/// Begins to walk through `padded`, valid JSON.
void start(JsonScratch& scratch, std::string_view padded);

/// `begin` is the first byte behind a quote in valid JSON that ends before `end`.
RawValue raw_string(const char* begin, const char* end);
RawValue read_value(ondemand::value value, const char* end);

/// What a raw string with escapes stands for.
std::string decoded(const ondemand::parser& parser, std::string_view raw);

/// Calls `visit(name, value)` for each member; `parser` decodes names that need it.
template <class Visit>
void for_each_member(const ondemand::parser& parser, ondemand::object object, const char* end,
                     const Visit& visit) {
    std::string name;
    for (ondemand::field field : object) {
        const RawValue key = raw_string(field.key().raw(), end);
        if (key.has_escape) name = decoded(parser, key.token);
        visit(key.has_escape ? std::string_view(name) : key.token, field.value());
    }
}

/// Without JSON's white space at both ends.
std::string_view trimmed(std::string_view text) noexcept;

}  // namespace fanfare
