#pragma once

#include <atomic>
#include <cstddef>
#include <optional>

namespace fanfare {

class Budget;

/// Bytes held against a Budget; gives them back when destroyed. Moves, never copies.
class Reservation {
  public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();

    std::size_t bytes() const noexcept { return bytes_; }

    /// Takes `bytes` out of this reservation into one of its own. `bytes` must not exceed bytes().
    Reservation split(std::size_t bytes) noexcept;

  private:
    friend class Budget;
    Reservation(Budget& budget, std::size_t bytes) noexcept : budget_(&budget), bytes_(bytes) {}
    void release() noexcept;

    Budget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

/// The process-wide bound on payload bytes held in memory (`queue.max_bytes`). Any thread.
/// Must outlive its reservations.
///
/// Once a reservation was refused, further ones are refused until use falls below nine tenths
/// of the bound: a sender at the bound is not told yes and no in turns (SPEC 12).
class Budget {
  public:
    explicit Budget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    std::optional<Reservation> try_reserve(std::size_t bytes) noexcept;

    std::size_t bytes_used() const noexcept { return used_.load(std::memory_order_relaxed); }
    std::size_t bytes_max() const noexcept { return bytes_max_; }

  private:
    friend class Reservation;

    const std::size_t bytes_max_;
    std::atomic<std::size_t> used_{0};
    std::atomic<bool> closed_{false};
};

}  // namespace fanfare
