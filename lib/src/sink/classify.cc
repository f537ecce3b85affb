#include <algorithm>

#include "fanfare/http_sink.h"

namespace fanfare {

Outcome classify(int http_status, const std::vector<StatusRange>& success) noexcept {
    // A 1xx ends an attempt only when it is 101: nobody has taken the event.
    const bool is_final = http_status >= 200;
    const bool is_success =
        is_final && std::any_of(success.begin(), success.end(), [&](const StatusRange& range) {
            return range.first <= http_status && http_status <= range.last;
        });
    return is_success ? Outcome::delivered(http_status) : Outcome::refused(http_status);
}

}  // namespace fanfare
