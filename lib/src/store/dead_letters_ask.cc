// What is asked of dead letters, or done with them, on the store's thread.
#include <utility>

#include "base/run_on.h"
#include "store/dead_letters.h"

namespace fanfare {

template <class T>
awaitable<Result<T>> DeadLetterStore::run(Work<T> work) {
    try {
        Result<T> result(boost::system::in_place_value, work(table_));
        note_kept();
        co_return result;
    } catch (const SqliteError& error) {
        co_return Error(std::string("the dead letters cannot be read or written: ") + error.what());
    }
}

template <class T>
awaitable<Result<T>> DeadLetterStore::ask(Work<T> work) {
    awaitable<Result<T>> task = run(std::move(work));
    Result<T> result = co_await run_on(thread_.get_executor(), std::move(task));
    co_return result;
}

awaitable<Result<std::vector<StoredLetter>>> DeadLetterStore::read(LetterRange range) {
    return ask<std::vector<StoredLetter>>(
        [range = std::move(range)](LetterTable& table) { return table.read(range); });
}

awaitable<Result<std::int64_t>> DeadLetterStore::last_id() {
    return ask<std::int64_t>([](LetterTable& table) { return table.last_id(); });
}

awaitable<Result<std::uint64_t>> DeadLetterStore::purge(LetterFilter filter) {
    struct Step {
        std::size_t seen = 0;
        std::int64_t last = 0;
        std::uint64_t erased = 0;
    };
    std::uint64_t purged = 0;
    std::int64_t after = 0;
    for (;;) {
        Work<Step> work = [this, &filter, after](LetterTable& table) {
            std::vector<std::int64_t> ids = table.ids(filter, after);
            Step step;
            step.seen = ids.size();
            if (!ids.empty()) step.last = ids.back();
            step.erased = table.erase(not_replayed(std::move(ids))).letters;
            purged_ += step.erased;
            return step;
        };
        const Result<Step> step = co_await ask<Step>(std::move(work));
        if (step.has_error()) co_return step.error();
        purged += step->erased;
        after = step->last;
        if (step->seen < LetterTable::erased_at_once_max) break;
    }
    co_return purged;
}

std::vector<std::int64_t> DeadLetterStore::not_replayed(std::vector<std::int64_t> ids) {
    const std::lock_guard lock(mutex_);
    std::erase_if(ids, [this](std::int64_t id) { return replaying_.count(id) > 0; });
    return ids;
}

}  // namespace fanfare
