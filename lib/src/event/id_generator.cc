#include "event/id_generator.h"

#include <openssl/rand.h>

#include <stdexcept>
#include <utility>

namespace fanfare {
namespace {

/// Crockford's alphabet, whose order is that of ASCII.
constexpr std::string_view crockford_alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 50 bits for the time, of which a ULID uses 48, and 80 for the rest.
constexpr int time_digits = 10;
constexpr int tail_digits = 16;
constexpr std::uint64_t high_max = 0xffff;

std::uint64_t milliseconds_since_epoch(WallTime time) {
    const auto since_epoch = time.time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    return ms < 0 ? 0 : static_cast<std::uint64_t>(ms);
}

}  // namespace

IdGenerator::IdGenerator(const Clock& clock, Random random)
    : clock_(clock), random_(std::move(random)) {}

std::string IdGenerator::next() {
    std::uint64_t time = 0;
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    {
        const std::lock_guard lock(mutex_);
        const std::uint64_t now = milliseconds_since_epoch(clock_.wall());
        if (now > last_ms_) {
            last_ms_ = now;
            // The top bit stays clear, so that counting up does not overflow at once.
            high_ = random_() & (high_max >> 1U);
            low_ = random_();
        } else if (++low_ == 0 && ++high_ > high_max) {
            // Within one millisecond, or when the clock was set back, the last id is counted up.
            ++last_ms_;
            high_ = 0;
        }
        time = last_ms_;
        high = high_;
        low = low_;
    }

    std::string id = "evt_";
    for (int i = time_digits - 1; i >= 0; --i) {
        id += crockford_alphabet[(time >> static_cast<unsigned>(5 * i)) & 31U];
    }
    for (int i = tail_digits - 1; i >= 0; --i) {
        const auto shift = static_cast<unsigned>(5 * i);
        // 128-bit arithmetic is no standard C++, hence the two halves of 16 and 64 bits.
        const std::uint64_t bits = shift >= 64  ? high >> (shift - 64)
                                   : shift == 0 ? low
                                                : low >> shift | high << (64 - shift);
        id += crockford_alphabet[bits & 31U];
    }
    return id;
}

std::uint64_t IdGenerator::system_random() {
    std::uint64_t bits = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1) {
        throw std::runtime_error("no random numbers to be had");
    }
    return bits;
}

}  // namespace fanfare
