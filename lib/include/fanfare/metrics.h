#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "fanfare/outcome.h"

namespace fanfare {

/// Why an event left a queue without having been offered for good (SPEC 14).
enum class DropReason : std::uint8_t { overflow, shutdown, removed, purged, exception };
inline constexpr std::size_t drop_reasons = 5;
std::string_view to_string(DropReason reason) noexcept;

/// Why an event was given up (SPEC 14).
enum class DeadReason : std::uint8_t {
    permanent,
    max_attempts,
    max_age,
    gone,
    overflow,
    exception,
    corrupt
};
inline constexpr std::size_t dead_reasons = 7;
std::string_view to_string(DeadReason reason) noexcept;

/// Counts of observations below fixed upper bounds; one more bucket takes the rest.
/// Single-threaded: belongs to a shard.
template <const auto& upper_bounds>
class BasicHistogram {
  public:
    static constexpr const auto& bounds = upper_bounds;

    void observe(double value) noexcept {
        const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value);
        ++counts_[static_cast<std::size_t>(bucket - bounds.begin())];
        ++count_;
        sum_ += value;
    }
    void observe(Duration value) noexcept { observe(std::chrono::duration<double>(value).count()); }

    void add(const BasicHistogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
    }

    std::span<const std::uint64_t> counts() const noexcept { return counts_; }
    std::uint64_t count() const noexcept { return count_; }
    double sum() const noexcept { return sum_; }

  private:
    std::array<std::uint64_t, upper_bounds.size() + 1> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

/// In seconds, from 100 µs to 60 s.
inline constexpr std::array<double, 17> duration_bounds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    0.1,    0.25,    0.5,    1,     2.5,    5,     10,   60};
using Histogram = BasicHistogram<duration_bounds>;

/// Events in a batch.
inline constexpr std::array<double, 10> size_bounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
using SizeHistogram = BasicHistogram<size_bounds>;

/// Of an endpoint that sends batches.
struct BatchMetrics {
    SizeHistogram events;      ///< of each batch as it is formed
    Histogram wait;            ///< of its oldest event, from acceptance until then
    std::uint64_t splits = 0;  ///< into halves
};

/// How often each HTTP status was seen; few different ones, so a flat list.
class StatusCounts {
  public:
    void add(int status, std::uint64_t count = 1);
    std::span<const std::pair<int, std::uint64_t>> entries() const noexcept { return entries_; }

  private:
    std::vector<std::pair<int, std::uint64_t>> entries_;
};

/// What happened at one endpoint, in methods named for what happened. Plain numbers, written and
/// read on the endpoint's shard only; a scrape copies them there (Broadcaster::snapshot).
class EndpointMetrics {
  public:
    void offered(std::size_t events) noexcept { offered_ += events; }
    void queued(std::size_t events) noexcept { events_ += events; }
    void ignored(std::size_t events) noexcept { ignored_ += events; }
    void attempted(const Outcome& outcome, unsigned number, Duration took);
    void delivered(Duration latency) noexcept;
    void dropped(std::size_t events, DropReason reason) noexcept;
    void dead_lettered(std::size_t events, DeadReason reason) noexcept;
    /// Of the events that are offered, those that had been given up before.
    void replayed(std::size_t events) noexcept { replayed_ += events; }
    /// Of the events that are offered, those of Fanfare's own.
    void meta(std::size_t events) noexcept { meta_ += events; }
    /// Pending from an earlier process.
    void restored(std::size_t events) noexcept { restored_ += events; }
    /// Batches are counted from now on.
    void count_batches() { batches_.emplace(); }
    void batch_formed(std::size_t events, Duration wait) noexcept;
    void batch_split() noexcept;
    void connection_opened() noexcept { ++connections_opened_; }

    /// All that came from the Broadcaster, ignored or not, and what was replayed or is of Fanfare's
    /// own.
    std::uint64_t offered_events() const noexcept { return offered_; }
    /// Those that entered the queue.
    std::uint64_t events() const noexcept { return events_; }
    std::uint64_t ignored_events() const noexcept { return ignored_; }
    std::uint64_t successes() const noexcept { return successes_; }
    std::uint64_t failures() const noexcept { return failures_; }
    std::uint64_t retries() const noexcept { return retries_; }
    std::uint64_t replayed_events() const noexcept { return replayed_; }
    std::uint64_t meta_events() const noexcept { return meta_; }
    std::uint64_t restored_events() const noexcept { return restored_; }
    /// Nothing if the endpoint sends none.
    const std::optional<BatchMetrics>& batches() const noexcept { return batches_; }
    std::uint64_t connections_opened() const noexcept { return connections_opened_; }
    /// Attempts without a usable answer, by Reason from dns to blocked.
    std::uint64_t errors(Reason reason) const noexcept;
    std::uint64_t errors() const noexcept;
    std::uint64_t dropped_events(DropReason reason) const noexcept;
    std::uint64_t dropped_events() const noexcept;
    std::uint64_t dead_letters(DeadReason reason) const noexcept;
    std::uint64_t dead_letters() const noexcept;
    const StatusCounts& responses() const noexcept { return responses_; }
    const Histogram& request_duration() const noexcept { return request_duration_; }
    const Histogram& delivery_latency() const noexcept { return delivery_latency_; }

    /// The reasons that errors() knows, in the order of SPEC 14.
    static constexpr std::array<Reason, 7> error_reasons = {
        Reason::dns,   Reason::connect,  Reason::tls,    Reason::timeout,
        Reason::reset, Reason::protocol, Reason::blocked};

  private:
    std::uint64_t offered_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t ignored_ = 0;
    std::uint64_t successes_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t retries_ = 0;
    std::uint64_t connections_opened_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t meta_ = 0;
    std::uint64_t restored_ = 0;
    std::array<std::uint64_t, error_reasons.size()> errors_{};
    std::array<std::uint64_t, drop_reasons> dropped_{};
    std::array<std::uint64_t, dead_reasons> dead_{};
    StatusCounts responses_;
    Histogram request_duration_;
    Histogram delivery_latency_;
    std::optional<BatchMetrics> batches_;
};

/// What happened at one listener on one shard. Same rules as EndpointMetrics.
class IngestMetrics {
  public:
    void answered(int status, Duration took);
    void connection_opened() noexcept { ++connections_; }
    void connection_closed() noexcept { --connections_; }
    void add(const IngestMetrics& other);

    const StatusCounts& requests() const noexcept { return requests_; }
    std::uint64_t connections() const noexcept { return connections_; }
    const Histogram& request_duration() const noexcept { return request_duration_; }

  private:
    StatusCounts requests_;
    std::uint64_t connections_ = 0;
    Histogram request_duration_;
};

}  // namespace fanfare
