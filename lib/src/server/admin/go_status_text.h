#pragma once

#include <string>

namespace fanfare {

/// The code and Go's text for it, as the registry counts answers: `200 OK`. A code without a text
/// gives the code and a trailing blank: `299 `.
std::string go_status(int code);

}  // namespace fanfare
