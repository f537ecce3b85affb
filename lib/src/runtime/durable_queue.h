#pragma once

#include <memory>
#include <optional>

#include "fanfare/broadcaster.h"
#include "fanfare/queue.h"
#include "runtime/steady_wall.h"
#include "store/journal.h"

namespace fanfare {

/// A queue whose events are in a store, where they stay until they are settled. In memory is a
/// window of the oldest ones, in a queue of the order that the endpoint wants; what lies behind it
/// is counted, and read when there is room. So memory does not grow with the backlog, and while
/// there is none, nothing is ever read.
///
/// Its events were stored by the Broadcaster before they are pushed.
class DurableQueue final : public Queue {
  public:
    /// The endpoint's place in the store, as it stands there before the first push.
    struct Place {
        EndpointId endpoint = 0;
        Backlog pending;
        std::optional<WallTime> oldest_at;
        std::uint64_t last_seq = 0;  ///< of the store
    };
    /// How much is in memory. Where order lets events pass others, those that wait for their next
    /// attempt are part of it.
    struct Window {
        std::size_t events_max = 16384;
        std::size_t bytes_max = std::size_t{1} << 20;
    };

    /// All references must outlive the queue.
    DurableQueue(Journal& journal, Shard& shard, const SteadyWall& times, Place place,
                 Window window);
    ~DurableQueue() override;

    void start(QueueOwner& owner) override;
    bool is_durable() const noexcept override { return true; }
    bool is_filling() const noexcept override { return is_reading_; }
    void set_order(std::unique_ptr<Queue> order) override;

    void push(EventPtr event) override;
    std::function<void(const Event&)> skip(const Event& event) override;
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override;
    Lease lease(const LeaseLimits& limits, TimePoint now) override;
    TimePoint oldest_waiting() const noexcept override;
    Lease lease_accepted_by(TimePoint time) override;
    void settle(Lease lease, Settle how) override;
    std::function<void(const Event&)> settle_later(Lease lease) override;
    std::vector<EventPtr> clear() override;
    Lease remove_oldest() override;
    void release_held() override;
    std::size_t pending_events() const noexcept override;
    std::size_t pending_bytes() const noexcept override;
    TimePoint oldest_accepted() const noexcept override;

    /// QueueOwner is not called any more. From then on the queue may be destroyed on any thread.
    void end() noexcept override;

  private:
    /// What a page on its way finds of this.
    struct Alive {
        DurableQueue* queue;
    };
    /// Events that were attempted together, while a page is taken.
    struct Together {
        Lease lease;
        StoredProgress progress;
        std::size_t bytes = 0;
    };

    std::function<void(const Event&)> let_go() const;
    bool has_room(std::size_t bytes) const noexcept;
    void fill();
    void on_page(std::optional<StoredPage> page, std::uint64_t asked_until);
    std::size_t take(const StoredPage& page);
    void take(EventPtr event, const StoredEvent& stored, Together& together);
    void adopt(Together& together);
    bool can_join(const Event& event, const StoredProgress& progress,
                  const Together& together) const;
    EventPtr revive(const StoredEvent& stored) const;
    TimePoint next_at(const StoredProgress& progress) const;
    void note_progress(const Lease& lease);

    Journal& journal_;
    Shard& shard_;
    const SteadyWall& times_;
    const EndpointId endpoint_;
    const Window limits_;
    QueueOwner* owner_ = nullptr;
    std::unique_ptr<Queue> window_;
    std::uint64_t window_last_ = 0;  // the seq up to which the window has got all
    std::uint64_t last_seq_;         // up to which all was pushed or skipped, here or before
    Backlog behind_;                 // in between
    TimePoint behind_since_;         // no event of it was accepted before
    SeqRanges skipped_;              // in between
    bool is_reading_ = false;
    std::shared_ptr<Alive> alive_;
};

}  // namespace fanfare
