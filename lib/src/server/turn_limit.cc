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

/// What is posted runs after the loop's next look at its sockets. If there is no memory for it,
/// nothing is taken: without a next turn all who wait would wait for ever.
void TurnLimit::take() {
    if (taken_ == 0) net::post(shard_.executor(), [this] { begin_turn(); });
    ++taken_;
}

void TurnLimit::begin_turn() {
    taken_ = 0;
    while (!waiting_.empty() && taken_ < requests_per_turn) {
        take();
        Waiter& next = waiting_.front();
        waiting_.pop_front();
        next.wakeup.notify();
    }
}

}  // namespace fanfare
