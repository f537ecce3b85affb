#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fanfare/error.h"

namespace fanfare {

/// What `{{ … }}` in a template stands for.
struct Placeholder {
    enum class Kind : std::uint8_t {
        pointer,  ///< `{{ /target/tag }}`: what the JSON pointer finds in the event
        id,       ///< `{{ @id }}`: the event id
        seq,      ///< `{{ @seq }}`: its number
        event,    ///< `{{ @event }}`: the event as a whole
    };
    Kind kind = Kind::pointer;
    std::string pointer;
};

/// A text of a template in its order: texts that stay as they are, and placeholders.
using TemplateText = std::vector<std::variant<std::string, Placeholder>>;

/// `{{ "text" }}` is no placeholder but the text, so that `{{ "{{" }}` stands for two braces. The
/// message of an Error says what is wrong and what was expected, and holds nothing of `text`.
Result<TemplateText> parse_template_text(std::string_view text);

}  // namespace fanfare
