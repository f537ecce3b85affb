#include <array>
#include <charconv>

#include "nats/jetstream.h"

namespace fanfare {

namespace {

std::uint64_t number_in(std::string_view text) noexcept {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

JsReceipt js_receipt(std::string_view reply) noexcept {
    if (reply.substr(0, 8) != "$JS.ACK.") return {};
    std::array<std::string_view, 12> parts;
    std::size_t count = 0;
    for (std::size_t at = 0; count < parts.size() && at <= reply.size();) {
        const std::size_t dot = std::min(reply.find('.', at), reply.size());
        parts.at(count++) = reply.substr(at, dot - at);
        at = dot + 1;
    }
    // The newer form has a domain and an account before the stream, and a random part at the end.
    if (count != 9 && count < 11) return {};
    const std::size_t first = count == 9 ? 4 : 6;
    const auto nanos = std::chrono::nanoseconds(number_in(parts.at(first + 3)));
    return {.deliveries = number_in(parts.at(first)),
            .seq = number_in(parts.at(first + 1)),
            .consumer_seq = number_in(parts.at(first + 2)),
            .time = WallTime(std::chrono::duration_cast<WallTime::duration>(nanos)),
            .pending = number_in(parts.at(first + 4))};
}

}  // namespace fanfare
