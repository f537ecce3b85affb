#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/json_pointers.h"
#include "fanfare/error.h"
#include "fanfare/event.h"
#include "sink/format/placeholders.h"

namespace fanfare {

/// A JSON value whose strings hold placeholders, taken apart once.
///
/// A string that is nothing but one placeholder becomes the value that it stands for, as it stands
/// in the event; null if there is none. Elsewhere in a string stands the text of a string, the
/// JSON of another value without white space, and nothing where there is none or null. Names of
/// members hold no placeholders. What is rendered is JSON, whatever the event holds.
class Template {
  public:
    static constexpr std::size_t bytes_max = std::size_t{64} * 1024;  ///< of the template
    static constexpr std::size_t placeholders_max = 256;
    static constexpr std::size_t rendered_bytes_max = std::size_t{8} * 1024 * 1024;

    enum class Output : std::uint8_t {
        json,
        /// The template must be a string and is rendered without quotes. Control characters in
        /// what comes from the event become blanks, so that a line stays a line.
        plain,
    };

    static Result<Template> make(std::string_view json, Output output);

    /// Appends to `out`. Throws render_error(), also if more of the event goes in, white space that
    /// is left out and all, than may come out: the time that takes must have a bound, too.
    void render(const Event& event, std::string& out) const;

  private:
    enum class Place : std::uint8_t { value, string, plain };

    /// A text, and behind it what a placeholder stands for.
    struct Step {
        std::string literal;
        Placeholder::Kind kind = Placeholder::Kind::pointer;
        std::size_t pointer = 0;  ///< its number, of a kind that has one
        Place place = Place::value;
    };

    class Maker;
    class Renderer;

    std::vector<Step> steps_;
    JsonPointers pointers_;
    std::string ending_;  // behind the last placeholder
};

}  // namespace fanfare
