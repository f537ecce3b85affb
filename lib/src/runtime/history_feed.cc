#include "runtime/history_feed.h"

#include <memory>
#include <span>
#include <utility>

#include "base/exceptions.h"

namespace fanfare {

HistoryFeed::HistoryFeed(History& history, Log& log,
                         std::function<void(const std::string& id)> on_log)
    : history_(history), log_(log), on_log_(std::move(on_log)) {}

void HistoryFeed::start(SharedLog& source) {
    source.follow(
        history_.options().capacity,
        [this](const std::string& id, std::uint64_t next) { begin(id, next); },
        [this](std::uint64_t seq, const LogEntry& entry) { take(seq, entry); });
}

/// The same log again, if the connection was lost, begins where it ended.
void HistoryFeed::begin(const std::string& id, std::uint64_t next) {
    if (next_ > 0 && id == id_ && next >= next_) return;
    const bool is_other = next_ > 0;
    if (is_other) {
        log_.warn("history", "the log of events is another one, history begins anew",
                  {{"log", id}, {"next_seq", next}});
    }
    id_ = id;
    next_ = next;
    has_begun_ = false;
    history_.restart(next);
    if (on_log_) on_log_(id);
}

/// What is missing in between is gone for good: who reads is told so, which takes that nothing is
/// kept from before it.
void HistoryFeed::take(std::uint64_t seq, const LogEntry& entry) {
    if (seq < next_) return;
    const bool has_gap = seq > next_;
    if (has_gap) history_.restart(seq);
    if (has_gap && has_begun_) {
        log_.warn("history", "records are gone from the log before they were read",
                  {{"first_seq", next_}, {"records", seq - next_}});
    }
    has_begun_ = true;
    next_ = seq + 1;
    History::Copies copies;
    copies.count = 1;
    try {
        if (entry.event) copies = history_.copy({&entry.event, 1});
    } catch (...) {
        log_.error("history", "an event could not be kept",
                   {{"seq", seq}, {"error", describe(std::current_exception())}});
    }
    // A damaged one has a number all the same, and no record.
    history_.add(std::move(copies), seq, entry.source, entry.accepted_at);
}

}  // namespace fanfare
