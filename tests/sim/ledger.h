#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fanfare/dead_letters.h"
#include "fanfare/endpoint.h"
#include "fanfare/sink.h"
#include "runtime/steady_wall.h"
#include "sim/plan.h"
#include "sim/story.h"
#include "store/event_store.h"

namespace fanfare::sim {

/// An event on its way to one endpoint, as it should be.
struct Item {
    enum class State : std::uint8_t {
        offered,    ///< on its way to the endpoint
        waiting,    ///< to be sent
        in_flight,  ///< an attempt is under way
        giving_up,  ///< its letter is due at once
        ignored,
        delivered,
        dead,
        dropped
    };

    std::uint64_t seq = 0;
    EventPtr event;
    TimePoint accepted{};
    std::string key;
    State state = State::offered;
    unsigned attempts = 0;
    unsigned failures = 0;
    unsigned plan = 0;  ///< that the attempt under way was begun by; see plans_
    bool is_part = false;
    /// The first seq of the batch that it belongs to for good; 0: none yet.
    std::uint64_t batch = 0;
    /// When it may, and when it must have been sent again, after a failure.
    TimePoint not_before = TimePoint::min();
    TimePoint not_after = TimePoint::min();
    TimePoint last_end = TimePoint::min();
    /// A change of order may have cost it its story.
    bool is_story_doubtful = false;
    DeadReason reason = DeadReason::permanent;
    int last_status = 0;
    Reason last_error = Reason::none;
    std::int64_t letter = 0;  ///< that it was replayed from

    // What the disk should know of it, where there is one.
    TimePoint done_at = TimePoint::min();  ///< nobody needs it there any more
    bool is_letter_due = false;            ///< it is there until its letter is
    StoredProgress noted;
    TimePoint noted_at = TimePoint::min();
    /// Its time of acceptance lay in the future when it was read: the wall clock was set back.
    bool is_time_doubtful = false;
    bool has_time_stepped = false;  ///< between two processes
    bool is_hold_doubtful = false;  ///< the same
};

/// A letter that a ledger has got, for a replay.
struct KeptLetter {
    std::int64_t id = 0;
    EventPtr event;
    bool is_replayed = false;
};

/// The books on one endpoint, from when it is added until it has ended: a model of what it may do
/// and must do. It hears of every event, every attempt and every letter as they come, says what was
/// wrong with them, and knows the exact numbers.
class Ledger final : public DeadLetterBox {
  public:
    Ledger(Plan plan, const test::ManualClock& clock, Story& story);

    const std::string& name() const noexcept { return plan_.name; }
    const Plan& plan() const noexcept { return plan_; }
    bool is_removed() const noexcept { return deadline_.has_value(); }
    /// And that by a reload, not by the end of the daemon.
    bool was_removed() const noexcept {
        return deadline_ && deadline_reason_ == DropReason::removed;
    }
    bool has_ended() const noexcept;
    bool is_gone() const noexcept { return is_gone_; }
    /// All that it was done with is on the disk by now.
    bool is_written_off() const noexcept;
    std::size_t pending() const noexcept { return open_.size(); }
    const std::vector<KeptLetter>& letters() const noexcept { return letters_; }

    // What the world does to the endpoint.
    void offered(const EventPtr& event, std::string key, std::int64_t letter = 0);
    void changed(const Plan& plan);
    void paused() { is_paused_ = true; }
    void resumed();
    void purged(std::size_t count);
    /// It may deliver until `deadline`; `reason` is for what is left then.
    void removed(TimePoint deadline, DropReason reason);
    void replayed(std::int64_t letter);

    // Where there is a disk.
    /// As offered(), once it is stored.
    void taken(const EventPtr& event, std::string key);
    void ignored() { ++offered_, ++ignored_; }
    /// The letters that have not been kept so far are, one of `every`.
    void keep_letters(Random& random, std::uint64_t every);
    /// Hears nothing from now on: its process is gone.
    void deafen() noexcept { is_deaf_ = true; }
    struct Restart {
        const Ledger& before;
        const StoredPage& page;  ///< all that waits for it
        const SteadyWall& times;
        bool is_orderly = false;  ///< all was on the disk before
        TimePoint since{};        ///< else what was until then, a moment ago or when the disk broke
        bool has_stepped = false;  ///< the wall clock, while the last process ran
        /// Events of which it was not heard whether they are stored, and that it wants.
        const std::map<std::uint64_t, Item>& unknown;
    };
    /// Goes on from what is on the disk, and checks that it is what it should be.
    void restore(const Restart& restart);

    // What the endpoint does.
    void asked(const Event& event, bool is_wanted);
    void began(const Attempt& attempt);
    void ended(const Attempt& attempt, const Outcome& outcome);
    void put(DeadLetter letter) noexcept override;
    void discard(std::span<const std::int64_t> letters) noexcept override;
    void keep(std::span<const std::int64_t> letters) noexcept override;

    /// When nothing more happens at this moment: all that was to be done has been done, and
    /// `snapshot` says so.
    void check_quiet(const EndpointSnapshot& snapshot);

  private:
    using Items = std::map<std::uint64_t, Item>;
    using State = Item::State;

    // ledger_attempts.cc
    std::vector<Item*> items_of(const Attempt& attempt);
    void check_story(const std::vector<Item*>& items, unsigned number);
    void check_batch(const std::vector<Item*>& items);
    void check_order(const std::vector<Item*>& items);
    void check_gate();
    void check_hold(const std::vector<Item*>& items);
    void note_gate(const Decision& decision);
    void try_again(Item& item);
    void split(const std::vector<Item*>& items);

    // ledger_checks.cc
    void settle_offered(std::uint64_t before);
    void check_idle();
    void check_overdue();
    void compare(const EndpointSnapshot& snapshot);
    void expect_equal(const char* what, std::uint64_t is, std::uint64_t should);

    // ledger_restore.cc
    void note_progress(Item& item);
    bool may_be_there(const Item& item, const Restart& restart) const;
    bool must_be_there(const Item& item) const;
    void restore_item(Item item, const StoredEvent& stored, const Restart& restart);
    void restore_times(Item& item, const StoredEvent& stored, const Restart& restart);
    bool is_window_small() const noexcept { return plan_.window_events < 1000; }
    bool is_leaving() const noexcept {
        return plan_.is_durable && deadline_ && deadline_reason_ == DropReason::removed;
    }

    bool is_batching() const noexcept { return plan_.batch.events_max > 1; }
    bool is_breaker() const noexcept;
    bool is_breaker_open() const noexcept;
    TimePoint gate_opens() const noexcept;
    TimePoint due_at(const Item& item) const noexcept;
    TimePoint latest_begin() const noexcept;
    TimePoint accepted(const Item& item) const noexcept;
    void end(Item& item, State state);
    bool are_times_doubtful() const noexcept;
    void drop_all(DropReason reason);
    std::string label(const Item& item) const;

    Plan plan_;
    const test::ManualClock& clock_;
    Story& story_;
    Items items_;
    std::set<std::uint64_t> open_;                                 // not at an end
    std::map<std::uint64_t, std::vector<std::uint64_t>> batches_;  // formed for good, by first seq
    unsigned in_flight_ = 0;
    unsigned plans_ = 0;  // how many there have been before this one
    bool is_paused_ = false;
    bool is_gone_ = false;
    bool was_gone_ = false;       // since the last quiet moment
    bool is_reordering_ = false;  // until nothing is in flight
    bool has_free_pass_ = false;
    std::uint64_t failures_in_a_row_ = 0;
    TimePoint last_failure_{};
    TimePoint paused_until_ = TimePoint::min();
    TimePoint idle_since_{};  // the last reason to look at the queue again
    std::optional<TimePoint> deadline_;
    DropReason deadline_reason_ = DropReason::removed;
    std::vector<KeptLetter> letters_;
    std::set<std::int64_t> discards_due_;
    std::set<std::int64_t> keeps_due_;

    bool is_deaf_ = false;
    TimePoint ended_at_ = TimePoint::max();
    struct LetterDue {
        EventPtr event;
        std::function<void(const Event&)> on_kept;
    };
    std::vector<LetterDue> letters_due_;
    bool are_bytes_known_ = true;

    TimePoint last_done_ = TimePoint::min();

    std::uint64_t offered_ = 0;
    std::uint64_t restored_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t ignored_ = 0;
    std::uint64_t delivered_ = 0;
    std::array<std::uint64_t, drop_reasons> dropped_{};
    std::array<std::uint64_t, dead_reasons> dead_{};
    std::uint64_t pending_bytes_ = 0;
};

}  // namespace fanfare::sim
