#include "fanfare/metrics.h"

#include <algorithm>
#include <numeric>

namespace fanfare {
namespace {

std::size_t error_index(Reason reason) {
    const auto& reasons = EndpointMetrics::error_reasons;
    const auto found = std::find(reasons.begin(), reasons.end(), reason);
    // A sink that throws broke the contract between us and it, as a receiver does that answers
    // something other than HTTP.
    if (found == reasons.end()) return error_index(Reason::protocol);
    return static_cast<std::size_t>(found - reasons.begin());
}

template <class Array>
std::uint64_t sum(const Array& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

std::string_view to_string(DropReason reason) noexcept {
    switch (reason) {
        case DropReason::overflow:
            return "overflow";
        case DropReason::shutdown:
            return "shutdown";
        case DropReason::removed:
            return "removed";
        case DropReason::purged:
            return "purged";
        case DropReason::exception:
            return "exception";
    }
    return "unknown";
}

std::string_view to_string(DeadReason reason) noexcept {
    switch (reason) {
        case DeadReason::permanent:
            return "permanent";
        case DeadReason::max_attempts:
            return "max_attempts";
        case DeadReason::max_age:
            return "max_age";
        case DeadReason::gone:
            return "gone";
        case DeadReason::overflow:
            return "overflow";
        case DeadReason::exception:
            return "exception";
        case DeadReason::corrupt:
            return "corrupt";
    }
    return "unknown";
}

void StatusCounts::add(int status, std::uint64_t count) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [status](const auto& entry) { return entry.first == status; });
    if (found != entries_.end()) {
        found->second += count;
    } else {
        entries_.emplace_back(status, count);
    }
}

void EndpointMetrics::attempted(const Outcome& outcome, unsigned number, Duration took) {
    if (outcome.verdict() == Verdict::aborted || outcome.verdict() == Verdict::closed) return;
    // Nothing was sent: the sink could not make a request of these events.
    const bool is_unsent =
        outcome.verdict() == Verdict::reject && outcome.reason() == Reason::exception;
    if (is_unsent) return;
    if (number > 1) ++retries_;
    if (outcome.http_status() != 0) responses_.add(outcome.http_status());
    if (outcome.verdict() != Verdict::delivered) {
        if (outcome.http_status() != 0) {
            ++failures_;
        } else {
            ++errors_[error_index(outcome.reason())];
        }
    }
    request_duration_.observe(took);
}

void EndpointMetrics::delivered(Duration latency) noexcept {
    ++successes_;
    delivery_latency_.observe(latency);
}

void EndpointMetrics::batch_formed(std::size_t events, Duration wait) noexcept {
    if (!batches_) return;
    batches_->events.observe(static_cast<double>(events));
    batches_->wait.observe(wait);
}

void EndpointMetrics::batch_split() noexcept {
    if (batches_) ++batches_->splits;
}

void EndpointMetrics::dropped(std::size_t events, DropReason reason) noexcept {
    dropped_[static_cast<std::size_t>(reason)] += events;
}

void EndpointMetrics::dead_lettered(std::size_t events, DeadReason reason) noexcept {
    dead_[static_cast<std::size_t>(reason)] += events;
}

std::uint64_t EndpointMetrics::errors(Reason reason) const noexcept {
    return errors_[error_index(reason)];
}

std::uint64_t EndpointMetrics::errors() const noexcept { return sum(errors_); }

std::uint64_t EndpointMetrics::dropped_events(DropReason reason) const noexcept {
    return dropped_[static_cast<std::size_t>(reason)];
}

std::uint64_t EndpointMetrics::dropped_events() const noexcept { return sum(dropped_); }

std::uint64_t EndpointMetrics::dead_letters(DeadReason reason) const noexcept {
    return dead_[static_cast<std::size_t>(reason)];
}

std::uint64_t EndpointMetrics::dead_letters() const noexcept { return sum(dead_); }

void IngestMetrics::answered(int status, Duration took) {
    requests_.add(status);
    request_duration_.observe(took);
}

void IngestMetrics::add(const IngestMetrics& other) {
    for (const auto& [status, count] : other.requests_.entries()) requests_.add(status, count);
    connections_ += other.connections_;
    request_duration_.add(other.request_duration_);
}

}  // namespace fanfare
