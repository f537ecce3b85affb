#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "fanfare/history.h"
#include "fanfare/log.h"
#include "fleet/shared_log.h"

namespace fanfare {

/// Fills a history with what comes into a shared log, by whatever process, so that a seq is the
/// same event in all of them. The log's times are kept, too.
class HistoryFeed {
  public:
    /// `on_log` is told what identifies the log, before the first record of it comes and whenever
    /// it is another one; on a thread of the log's. All references must outlive `log`, and so must
    /// this from start() on.
    HistoryFeed(History& history, Log& log, std::function<void(const std::string& id)> on_log);

    /// Once. As much of the past as the history can hold comes first.
    void start(SharedLog& source);

  private:
    void begin(const std::string& id, std::uint64_t next);
    void take(std::uint64_t seq, const LogEntry& entry);

    History& history_;
    Log& log_;
    const std::function<void(const std::string& id)> on_log_;
    // Touched by the log's thread only.
    std::string id_;
    std::uint64_t next_ = 0;  // 0: there has been no log yet
    bool has_begun_ = false;  // a record of this log has come
};

}  // namespace fanfare
