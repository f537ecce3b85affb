#pragma once

#include <cstdint>
#include <string>

#include "fanfare/meta.h"
#include "fanfare/queue.h"
#include "fanfare/sink.h"

namespace fanfare {

/// What an endpoint has to tell of itself: that it is down, or up again, or has given events up.
/// Events of Fanfare's own are not news, so that two endpoints that get each other's cannot go on
/// about each other for ever. Shard thread.
class HealthNews {
  public:
    /// The shortest time between two events given up that are told.
    static constexpr Duration interval = std::chrono::minutes(1);

    /// `news`: null if nobody wants to hear; else it and the clock must outlive this.
    HealthNews(std::string endpoint, EndpointNews* news, Clock& clock);

    void succeeded(Batch batch);
    /// As after a success, as there was one elsewhere.
    void recovered();
    /// An attempt that went wrong so that it counts towards being down. `error` as it is logged.
    void failed(Batch batch, std::string_view error);
    void given_up(const Lease& given_up, DeadReason reason);

    unsigned down_after() const noexcept;
    /// Whether it was told to be.
    bool is_down() const noexcept { return is_down_; }

  private:
    const std::string endpoint_;
    EndpointNews* const news_;
    Clock& clock_;
    unsigned failures_in_a_row_ = 0;
    bool is_down_ = false;  // and was told to be
    TimePoint down_since_{};
    TimePoint told_given_up_ = TimePoint::min();
    std::uint64_t not_told_ = 0;
};

}  // namespace fanfare
