#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "event/json_check.h"

namespace fanfare {

// The one place that knows simdjson. Everything here may be called from any thread; each thread
// keeps a set of parser buffers, which are given up again after an unusually large text.

/// As many bytes must be readable behind a text that is called padded.
inline constexpr std::size_t json_padding = 64;

/// Containers inside each other in what Fanfare takes (SPEC 4).
inline constexpr std::size_t json_depth_max = 512;

/// Decides whether `padded` is JSON as SPEC 4 wants it; see check_json. About 0.3 µs per KiB.
std::optional<JsonProblem> validate_json(std::string_view padded);

bool is_utf8(std::string_view text) noexcept;

/// Appends `text`, which must be UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// The same without the quotes.
void append_json_text(std::string& out, std::string_view text);

/// Texts that had to be decoded. Views into them stay valid as long as the list.
using KeptTexts = std::forward_list<std::string>;

/// One value of a JSON text.
struct JsonValue {
    enum class Kind : std::uint8_t { missing, null, string, scalar, container };

    Kind kind = Kind::missing;
    /// Of a string its decoded text, of other scalars their JSON text, else empty.
    std::string_view text;

    bool is_string() const noexcept { return kind == Kind::string; }
    /// Neither missing nor null.
    bool is_there() const noexcept { return kind != Kind::missing && kind != Kind::null; }
    /// The text of a string, nothing else.
    std::string_view string() const noexcept { return is_string() ? text : std::string_view(); }
};

/// One event in a text, as far as Fanfare reads it. Of repeated keys the last one counts.
struct EventView {
    std::string_view payload;  ///< the object's bytes, from brace to brace
    JsonValue id;
    JsonValue action;
    JsonValue target_media_type;  ///< `target.mediaType`
    JsonValue source;
    JsonValue specversion;
    JsonValue type;
    JsonValue data;
    JsonValue data_base64;
};

/// How events lie in a text.
enum class JsonLayout : std::uint8_t {
    envelope,  ///< an object with an array `events`, or `{}`
    any,       ///< an object with an array `events`, or an array of events, or one event
    single,    ///< one event
    list,      ///< an array of events
};

/// Checks `padded` as validate_json() does, then calls `visit` for every event in it, in order,
/// until it returns false. The views given to `visit` point into `padded` or into `kept`. Returns
/// what is no JSON, before any visit, or not of the layout, after visits of the events before.
std::optional<JsonProblem> visit_events(std::string_view padded, JsonLayout layout, KeptTexts& kept,
                                        const std::function<bool(const EventView&)>& visit);

}  // namespace fanfare
