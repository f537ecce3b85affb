#include "fanfare/budget.h"

#include <cassert>
#include <utility>

namespace fanfare {

Reservation::Reservation(Reservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
    if (this != &other) {
        release();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

Reservation::~Reservation() { release(); }

void Reservation::release() noexcept {
    if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
}

Reservation Reservation::split(std::size_t bytes) noexcept {
    assert(bytes <= bytes_);
    Reservation part;
    part.budget_ = budget_;
    part.bytes_ = bytes;
    bytes_ -= bytes;
    return part;
}

std::optional<Reservation> Budget::try_reserve(std::size_t bytes) noexcept {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    const bool is_full = before + bytes > bytes_max_;
    const bool is_recovering =
        closed_.load(std::memory_order_relaxed) && before >= bytes_max_ - bytes_max_ / 10;
    if (is_full || is_recovering) {
        used_.fetch_sub(bytes, std::memory_order_relaxed);
        closed_.store(true, std::memory_order_relaxed);
        return std::nullopt;
    }
    if (closed_.load(std::memory_order_relaxed)) closed_.store(false, std::memory_order_relaxed);
    return Reservation(*this, bytes);
}

}  // namespace fanfare
