#include "server/admin/composer.h"

#include "base/run_on.h"

namespace fanfare {
namespace {

awaitable<std::string> call(std::function<std::string()> make) { co_return make(); }

}  // namespace

awaitable<std::string> Composer::compose(std::function<std::string()> make) {
    awaitable<std::string> text = call(std::move(make));
    std::string result = co_await run_on(thread_.get_executor(), std::move(text));
    co_return result;
}

}  // namespace fanfare
