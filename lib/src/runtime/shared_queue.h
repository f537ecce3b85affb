#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/queue.h"
#include "fleet/shared_log.h"
#include "runtime/steady_wall.h"

namespace fanfare {

/// A queue whose events come from a log that several processes share, each event to one of them.
/// In memory is only what this process is to deliver next, in a queue of the order that the
/// endpoint wants: as many events as may be in flight, or one of each partition. The log is told of
/// all that is held as long as it is held. What is to be tried later goes back to the log, and
/// perhaps to another process.
///
/// Payloads that are held take no part in the Budget: they are bounded by that number of events per
/// endpoint, each no larger than what one sender may send.
///
/// Nothing is to be pushed; what is pushed all the same has no place in the log.
class SharedQueue final : public Queue {
  public:
    /// All references must outlive the queue, and what settle_later() has returned. With
    /// `is_partitioned`, in_flight_max is that of all partitions together.
    SharedQueue(SharedLog& log, Shard& shard, const SteadyWall& times, ConsumerOptions options);
    ~SharedQueue() override;

    void start(QueueOwner& owner) override;
    bool is_durable() const noexcept override { return true; }
    bool is_filling() const noexcept override { return ending_ > 0; }
    void set_order(std::unique_ptr<Queue> order) override;
    void set_in_flight_max(unsigned leases) override;

    void push(EventPtr event) override;
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override;
    Lease lease(const LeaseLimits& limits, TimePoint now) override;
    TimePoint oldest_waiting() const noexcept override;
    Lease lease_accepted_by(TimePoint time) override;
    void settle(Lease lease, Settle how) override;
    std::function<void(const Event&)> settle_later(Lease lease) override;
    std::vector<EventPtr> clear() override;
    std::vector<EventPtr> clear_all(
        std::function<void(std::optional<std::size_t>)> on_cleared) override;
    void leave() override;
    bool has(std::uint64_t seq) const override { return held_.contains(seq); }
    Lease remove_oldest() override;
    void release_held() override;
    std::size_t pending_events() const noexcept override;
    std::size_t pending_bytes() const noexcept override;
    TimePoint oldest_accepted() const noexcept override;
    std::optional<SharedFigures> shared() const override;

    /// What is held goes back at once. QueueOwner is not called any more. From then on the queue
    /// may be destroyed on any thread.
    void end() noexcept override;

  private:
    struct Link;
    /// What was attempted here and went back to the log, for when it comes here again.
    struct Story {
        std::uint64_t seq = 0;
        WallTime accepted_at{};
        unsigned deliveries = 1;
        unsigned attempts = 0;
        unsigned failures = 0;
        int last_status = 0;
        Reason last_error = Reason::none;
        bool is_done = false;
    };
    /// An event that is here: waiting, leased, or on its way to where settle_later() lets go.
    struct Held {
        std::string token;
        WallTime accepted_at{};
        unsigned deliveries = 1;
        bool is_ending = false;  ///< to be let go of
    };

    /// Deliveries come on a thread of the log's, and are dealt with on the shard.
    void listen();
    void on_deliveries(std::vector<Delivery> deliveries);
    bool take(Delivery& delivery);
    bool is_known(const Delivery& delivery);
    void enter(const Delivery& delivery);
    Lease lease_of(const Delivery& delivery) const;
    unsigned window() const noexcept;
    void refill();

    void done(const Event& event);
    void give_back(const Lease& lease);
    void give_back(std::vector<EventPtr> waiting);
    void give_back(std::uint64_t seq, Duration delay);
    void let_go_of(std::uint64_t seq);

    void remember_done(std::uint64_t seq, const Held& held);
    void remember(const Story& story);
    const Story* story_of(const Delivery& delivery) const noexcept;
    void watch_time();
    void end_purges(std::optional<std::size_t> events) noexcept;

    Shard& shard_;
    const SteadyWall& times_;
    SharedLog& log_;
    ConsumerOptions options_;
    QueueOwner* owner_ = nullptr;
    std::unique_ptr<Queue> window_;
    std::unordered_map<std::uint64_t, Held> held_;  // by seq
    std::size_t credit_ = 0;                        // deliveries that may still come
    std::size_t ending_ = 0;                        // of held_
    std::uint64_t returned_ = 0;
    bool is_leaving_ = false;
    std::unordered_map<std::uint64_t, Story> stories_;  // by seq; the last ones
    std::deque<std::uint64_t> told_;                    // their seqs, the oldest first
    std::unique_ptr<Alarm> alarm_;                      // made when first needed
    bool is_alarm_set_ = false;
    std::vector<std::function<void(std::optional<std::size_t>)>> purges_;
    std::shared_ptr<Link> link_;
    std::unique_ptr<SharedConsumer> consumer_;  // from start() on
};

}  // namespace fanfare
