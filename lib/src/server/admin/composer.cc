#include "server/admin/composer.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare {
namespace {

awaitable<std::string> call(std::function<std::string()> make) { co_return make(); }

}  // namespace

awaitable<std::string> Composer::compose(std::function<std::string()> make) {
    awaitable<std::string> text = call(std::move(make));
    std::string result =
        co_await net::co_spawn(thread_.get_executor(), std::move(text), net::use_awaitable);
    co_return result;
}

}  // namespace fanfare
