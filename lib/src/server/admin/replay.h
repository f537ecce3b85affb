#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fanfare/budget.h"
#include "store/letters.h"

namespace fanfare {

/// What has become of a replay.
struct ReplayResult {
    std::uint64_t replayed = 0;      ///< queued again; letters until that has come to an end
    std::uint64_t not_replayed = 0;  ///< left, as their endpoint is not there
    bool is_out_of_room = false;     ///< ended early: the memory for events is nearly used up
    bool is_shut_down = false;       ///< ended early: nothing is queued any more
    std::int64_t last_id = 0;        ///< the last letter that was looked at
    bool is_at_end = true;           ///< nothing behind it was meant
};

/// What has become of events that were to be queued again.
enum class Requeued : std::uint8_t { done, no_endpoint, shut_down };

/// Queues dead letters again, oldest first, in steps that hold up nobody and that a process with
/// little memory can bear. A letter whose event is queued already is passed over. Any thread.
class Replay {
  public:
    using Events = std::vector<Replayed>;
    /// Queues events at the end of an endpoint's queue.
    using Requeue = std::function<Requeued(const std::string& endpoint, Events events)>;

    static constexpr std::size_t step_letters_max = 256;
    /// Of the memory for events; the rest is left to those who send new ones.
    static constexpr double budget_share_max = 0.8;

    /// `budget` may be null. Store and budget must outlive it.
    Replay(DeadLetters& store, Budget* budget, Requeue requeue)
        : store_(store), budget_(budget), requeue_(std::move(requeue)) {}

    /// Up to `range.letters_max` letters. An Error tells of trouble with the disk.
    awaitable<Result<ReplayResult>> run(LetterRange range);

  private:
    struct Group {
        std::string endpoint;
        Events events;
    };
    struct Step {
        std::vector<Group> groups;
        bool is_out_of_room = false;
        std::int64_t last_id = 0;
    };

    Step prepare(const std::vector<StoredLetter>& letters, std::int64_t after);
    std::shared_ptr<Event> revive(const StoredLetter& letter);
    void perform(Step step, ReplayResult& result);
    void keep(const Events& events);

    DeadLetters& store_;
    Budget* budget_;
    Requeue requeue_;
};

}  // namespace fanfare
