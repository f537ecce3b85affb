#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "fanfare/clock.h"

namespace fanfare {

/// Runs `task` on another executor, an event loop or a pool, and comes back with its result. Is
/// not cancelled: what `task` refers to must live until it has ended, and it must end by itself.
///
/// The one way from one executor to another in a coroutine. Asio 1.24 cancels what was spawned
/// elsewhere by a handler there that points into the spawning coroutine, which may have ended and
/// be gone when that handler's turn comes.
template <class T>
awaitable<T> run_on(Executor executor, awaitable<T> task) {
    co_return co_await net::co_spawn(
        executor, std::move(task),
        net::bind_cancellation_slot(net::cancellation_slot(), net::use_awaitable));
}

}  // namespace fanfare
