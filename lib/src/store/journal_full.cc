// What a journal does while there is no room.
#include <boost/asio/post.hpp>

#include "store/journal.h"

namespace fanfare {

/// While there was no room lately: one of many may try whether there is some again. If the store
/// says that there is none, it is asked again.
bool Journal::may_append(TimePoint now) {
    if (!has_room_ && now >= ask_again_at_) {
        ask_again_at_ = now + options_.full_pause;
        net::post(disk_, [this] { look_for_room(); });
    }
    if (!has_room_ || now < try_again_at_) return false;
    try_again_at_ = now + options_.full_pause;
    return true;
}

/// Appends fail. Acknowledgements are tried without them, at once; if they were alone, later.
void Journal::on_full(Batch& batch) {
    std::vector<OnAppended> failed = std::move(batch.appended);
    batch.appended.clear();
    bool is_new = false;
    {
        const std::lock_guard lock(mutex_);
        const TimePoint now = clock_.now();
        ++counts_.full_commits;
        is_new = !counts_.full_since;
        if (is_new) counts_.full_since = now;
        try_again_at_ = now + options_.full_pause;
        full_until_ = now + options_.full_memory;
        is_held_ = failed.empty();
        put_back(batch.changes);
        due_at_ = is_held_ ? now + options_.full_pause : now;
        for (WaitingAppend& waiting : appends_) failed.push_back(std::move(waiting.on_appended));
        appends_.clear();
        appends_out_ = appends_in_;
        counts_.waiting_bytes = 0;
    }
    if (is_new && told_full_) told_full_(true);
    for (const OnAppended& on_appended : failed) on_appended(Appended::full);
    look_for_room();
}

}  // namespace fanfare
