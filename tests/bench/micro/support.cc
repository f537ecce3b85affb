#include "micro/support.h"

#include <boost/asio/co_spawn.hpp>

namespace fanfare::bench {

Pipeline::~Pipeline() {
    bool is_drained = false;
    net::co_spawn(context, broadcaster.drain(clock.now() + std::chrono::seconds(10)),
                  [&](const std::exception_ptr&) { is_drained = true; });
    context.restart();
    while (!is_drained && context.run_one_for(std::chrono::seconds(10)) != 0) {
    }
}

}  // namespace fanfare::bench
