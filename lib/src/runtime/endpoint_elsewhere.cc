// What an endpoint hears of its receiver from other processes, and lets them know.
#include <algorithm>
#include <utility>

#include "runtime/endpoint_impl.h"

namespace fanfare {
namespace {

/// What others have delivered tells nothing of a process whose own attempts go on failing: only
/// once none has for so long.
constexpr Duration quiet_after_failure = std::chrono::seconds(10);

/// What another process tells may have been on its way for so long.
constexpr Duration telling_max = std::chrono::seconds(1);

/// Holds that are longer are not waited for.
constexpr Duration settling_max = std::chrono::hours(1);

}  // namespace

void Endpoint::Impl::tell_of_hold(TimePoint now) {
    if (options_.holds == nullptr || state_ != State::running) return;
    const TimePoint until = gate_.own_hold(now);
    if (until > now) {
        is_hold_told_ = true;
        options_.holds->held(options_.name, until - now);
    } else if (std::exchange(is_hold_told_, false)) {
        options_.holds->let_go(options_.name);
    }
}

/// Once, until somebody has delivered to it.
void Endpoint::Impl::tell_of_failure(TimePoint now) {
    last_failure_ = now;
    if (options_.holds == nullptr || is_success_asked_for_ || is_settling_) return;
    if (!is_in_trouble()) return;
    is_success_asked_for_ = true;
    options_.holds->down(options_.name, Duration::zero());
}

/// Only if somebody wants to know, so that all is quiet as long as all is well.
void Endpoint::Impl::tell_of_success() {
    // An event of Fanfare's own may have been taken here: that is no news.
    if (!is_success_asked_for_ || news_.is_down()) return;
    is_success_asked_for_ = false;
    options_.holds->up(options_.name);
}

/// Whether it takes a success for the endpoint to be well again.
bool Endpoint::Impl::is_in_trouble() const noexcept {
    const bool is_down = log_.failures_in_a_row() >= news_.down_after() || news_.is_down();
    return is_down || gate_.is_open();
}

void Endpoint::Impl::take_gone() {
    if (state_ != State::running || is_gone()) return;
    shard_.log().warn("endpoint", "endpoint disabled, another process has found its receiver gone",
                      {{"endpoint", options_.name}});
    gone_at_ = shard_.clock().now();
    is_gone_ = true;
    // What is here is given up, whatever it waits for.
    is_held_ = false;
    wake_all();
}

void Endpoint::Impl::take_back() {
    if (!is_gone_.exchange(false)) return;
    is_held_ = false;
    wake_one();
    shard_.log().info("endpoint", "endpoint takes events again", {{"endpoint", options_.name}});
}

void Endpoint::Impl::down_elsewhere(Duration ago) {
    if (state_ != State::running || options_.holds == nullptr) return;
    is_success_asked_for_ = true;
    const TimePoint failed_at = shard_.clock().now() - ago - telling_max;
    if (!is_in_trouble() && log_.last_success() > failed_at) tell_of_success();
}

void Endpoint::Impl::up_elsewhere() {
    is_success_asked_for_ = false;
    up_elsewhere_ = shard_.clock().now();
    settle_health();
}

/// Ends the trouble if others have delivered since the last failure here. If that was before it,
/// asks again.
void Endpoint::Impl::settle_health() {
    is_settling_ = false;
    if (state_ != State::running || !is_in_trouble()) return;
    const TimePoint now = shard_.clock().now();
    const TimePoint at = settles_at(now);
    if (at > now) {
        if (!health_alarm_) health_alarm_ = shard_.clock().make_alarm(shard_.executor());
        is_settling_ = true;
        return health_alarm_->set(at, [this] { settle_health(); });
    }
    if (last_failure_ <= up_elsewhere_) return recover(now);
    if (options_.holds == nullptr || is_success_asked_for_) return;
    is_success_asked_for_ = true;
    options_.holds->down(options_.name, now - last_failure_);
}

/// Not while an attempt may show something else.
TimePoint Endpoint::Impl::settles_at(TimePoint now) {
    TimePoint shown = last_failure_;
    if (in_flight_ > 0) shown = now;
    const TimePoint held_until = std::min(gate_.own_hold(now), now + settling_max);
    if (held_until > now) shown = held_until;
    return shown + quiet_after_failure;
}

void Endpoint::Impl::recover(TimePoint now) {
    gate_.forget_failures(now);
    log_.recovered(gate_.is_open());
    news_.recovered();
    tell_of_hold(now);
    is_held_ = false;
    wake_one();
}

}  // namespace fanfare
