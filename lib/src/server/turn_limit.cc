#include "server/turn_limit.h"

#include <boost/asio/post.hpp>

namespace fanfare {

bool TurnLimit::try_take() {
    if (!waiting_.empty() || taken_ == requests_per_turn) return false;
    if (taken_ > 0 || shard_.has_backlog()) take();
    return true;
}

awaitable<void> TurnLimit::wait() {
    Waiter waiter(shard_.executor());
    waiting_.push_back(waiter);
    co_await waiter.wakeup.wait();
}

/// What is posted runs after the loop's next look at its sockets.
void TurnLimit::take() {
    if (taken_++ == 0) net::post(shard_.executor(), [this] { begin_turn(); });
}

void TurnLimit::begin_turn() {
    taken_ = 0;
    while (!waiting_.empty() && taken_ < requests_per_turn) {
        Waiter& next = waiting_.front();
        waiting_.pop_front();
        take();
        next.wakeup.notify();
    }
}

}  // namespace fanfare
