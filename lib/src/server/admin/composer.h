#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// Makes texts on a thread apart: with a thousand endpoints that takes tens of milliseconds, in
/// which a shard could have delivered hundreds of events. Any thread.
class Composer {
  public:
    /// What `make` refers to must live until the coroutine has ended.
    awaitable<std::string> compose(std::function<std::string()> make);

  private:
    net::thread_pool thread_{1};
};

}  // namespace fanfare
