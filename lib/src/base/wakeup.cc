#include "base/wakeup.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <utility>

namespace fanfare {

using boost::system::error_code;

/// What starts a wait: stores the coroutine's handler.
struct Wakeup::Park {
    Wakeup* self;

    template <class Handler>
    void operator()(Handler&& handler) const {
        assert(!self->waiter_);
        self->waiter_.emplace(std::forward<Handler>(handler));
        // The slot of the stored handler: storing it puts a new one in front of the original's.
        auto slot = net::get_associated_cancellation_slot(*self->waiter_);
        if (!slot.is_connected()) return;
        Wakeup* const wakeup = self;
        slot.assign([wakeup](net::cancellation_type) {
            if (wakeup->waiter_) wakeup->complete(net::error::operation_aborted);
        });
    }
};

awaitable<void> Wakeup::park() {
    return net::async_initiate<const net::use_awaitable_t<>, void(error_code)>(Park{this},
                                                                               net::use_awaitable);
}

awaitable<void> Wakeup::wait() {
    if (!notified_) co_await park();
    notified_ = false;
}

void Wakeup::notify() {
    notified_ = true;
    if (waiter_) complete({});
}

void Wakeup::complete(error_code error) {
    Waiter waiter = std::move(*waiter_);
    waiter_.reset();
    net::post(executor_,
              [waiter = std::move(waiter), error]() mutable { std::move(waiter)(error); });
}

awaitable<void> wait_until(Clock& clock, TimePoint at) {
    Wakeup wakeup(co_await net::this_coro::executor);
    co_await wait_until(clock, at, wakeup);
}

awaitable<void> wait_until(Clock& clock, TimePoint at, Wakeup& wakeup) {
    const std::unique_ptr<Alarm> alarm = clock.make_alarm(co_await net::this_coro::executor);
    alarm->set(at, [&wakeup] { wakeup.notify(); });
    co_await wakeup.wait();
}

}  // namespace fanfare
