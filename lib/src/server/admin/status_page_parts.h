#pragma once

#include <string_view>

namespace fanfare {

/// The sources of the status page, as they lie in `page/`; CMake builds them in.
struct StatusPageParts {
    std::string_view html;    ///< has `<!--style-->` and `<!--script-->` where those belong
    std::string_view style;   ///< CSS
    std::string_view script;  ///< JavaScript
};

/// What it refers to lives for ever. Any thread.
StatusPageParts status_page_parts() noexcept;

}  // namespace fanfare
