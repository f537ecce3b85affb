#include "store/letters.h"

namespace fanfare {

std::string_view to_string(LostReason reason) noexcept {
    switch (reason) {
        case LostReason::evicted:
            return "evicted";
        case LostReason::too_large:
            return "too_large";
        case LostReason::backlog:
            return "backlog";
        case LostReason::write:
            return "write";
    }
    return "unknown";
}

LetterTotals& LetterTotals::operator+=(const LetterTotals& other) noexcept {
    letters += other.letters;
    bytes += other.bytes;
    return *this;
}

LetterTotals& LetterTotals::operator-=(const LetterTotals& other) noexcept {
    letters -= other.letters;
    bytes -= other.bytes;
    return *this;
}

}  // namespace fanfare
