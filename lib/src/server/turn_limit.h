#pragma once

#include <boost/intrusive/list.hpp>

#include "base/wakeup.h"
#include "fanfare/broadcaster.h"

namespace fanfare {

/// Shares a loop between what comes in and what goes out. A loop hears of an answer to a delivery
/// only when it looks at its sockets, and between two looks it serves every request that has
/// arrived: senders in number would let a strictly ordered endpoint make one step per round of
/// theirs. So while deliveries lag behind, few requests are served per turn. Shard thread.
class TurnLimit {
  public:
    static constexpr unsigned requests_per_turn = 4;

    explicit TurnLimit(Shard& shard) : shard_(shard) {}
    TurnLimit(const TurnLimit&) = delete;
    TurnLimit& operator=(const TurnLimit&) = delete;

    /// Whether one more request may be served in this turn; if not, wait() for the next.
    bool try_take();

    /// Ends when it is the caller's turn. First come, first served. Throws operation_aborted when
    /// cancelled.
    awaitable<void> wait();

  private:
    struct Waiter : boost::intrusive::list_base_hook<
                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit Waiter(Executor executor) : wakeup(std::move(executor)) {}
        Wakeup wakeup;
    };

    void take();
    void begin_turn();

    Shard& shard_;
    unsigned taken_ = 0;
    boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiting_;
};

}  // namespace fanfare
