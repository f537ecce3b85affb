#include "fanfare/outcome.h"

#include <algorithm>

namespace fanfare {

std::string_view to_string(Reason reason) noexcept {
    switch (reason) {
        case Reason::none:
            return "none";
        case Reason::dns:
            return "dns";
        case Reason::connect:
            return "connect";
        case Reason::tls:
            return "tls";
        case Reason::timeout:
            return "timeout";
        case Reason::reset:
            return "reset";
        case Reason::protocol:
            return "protocol";
        case Reason::blocked:
            return "blocked";
        case Reason::status:
            return "status";
        case Reason::exception:
            return "exception";
        case Reason::permanent:
            return "permanent";
        case Reason::max_attempts:
            return "max_attempts";
        case Reason::max_age:
            return "max_age";
        case Reason::closed:
            return "closed";
    }
    return "unknown";
}

Outcome Outcome::delivered(int http_status) noexcept {
    return {Verdict::delivered, Reason::none, http_status, {}};
}

Outcome Outcome::retry(Reason reason, error_code error) noexcept {
    return {Verdict::retry, reason, 0, error};
}

Outcome Outcome::refused(int http_status, Duration retry_after) noexcept {
    Outcome outcome(Verdict::retry, Reason::status, http_status, {});
    outcome.retry_after_ = std::max(retry_after, Duration::zero());
    return outcome;
}

Outcome Outcome::reject(Reason reason, int http_status, error_code error) noexcept {
    return {Verdict::reject, reason, http_status, error};
}

Outcome Outcome::aborted() noexcept { return {Verdict::aborted, Reason::none, 0, {}}; }

Outcome Outcome::closed() noexcept { return {Verdict::closed, Reason::closed, 0, {}}; }

}  // namespace fanfare
