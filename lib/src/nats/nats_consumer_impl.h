#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "nats/nats_consumer.h"
#include "nats/other_form.h"

namespace fanfare {

/// A consumer in the stream.
class NatsConsumer::Place {
  public:
    std::string name;
    std::string filter;
    bool is_there = false;
    bool was_there = false;  ///< at some time
    bool is_asked_for = false;
    TimePoint ask_at{};    ///< not before, if it is not there
    std::size_t held = 0;  ///< delivered and not settled; only if there are partitions
    bool is_in_line = false;
    NatsConnection::Inbox inbox{};
    std::size_t requested = 0;     ///< messages that were asked for and may still come
    TimePoint heard{};             ///< of what was asked for, last
    std::uint64_t generation = 0;  ///< what was asked for before counts no longer

    JsConsumerInfo info;  ///< as of the last look
    bool is_looked_at = false;
    std::uint64_t oldest_floor = 0;  ///< the ack floor that `oldest` was read for
    WallTime oldest{};               ///< zero: not known
};

/// Lives on the connection's loop, where not said otherwise.
class NatsConsumer::Impl : public std::enable_shared_from_this<NatsConsumer::Impl> {
  public:
    Impl(JetStream api, Options options);

    void start(OnDeliveries on_deliveries);
    void close();
    void allow(std::size_t deliveries);
    void purge(std::function<void(std::int64_t)> on_purged);
    void change(const ConsumerOptions& options);

    // Any thread.
    void settle(const std::string& token, const std::string& answer, bool is_last);
    ConsumerFigures figures() const;
    Duration working_interval() const noexcept { return options_.working_interval; }
    NatsConnection& connection() const noexcept { return api_.connection(); }

  private:
    struct Purge;

    bool is_partitioned() const noexcept { return options_.endpoint.is_partitioned; }
    TimePoint now() const { return connection().clock().now(); }

    void set_connected(bool is_connected);
    void tick();
    void look_at_stream(const std::string& id);
    void look_at_other_form();
    void other_form(const std::optional<OtherForm::Found>& found);
    void take_over_from_other_form();
    void ensure(std::size_t index);
    void ensured(std::size_t index, const JsResult<JsConsumerInfo>& info);
    void place_is_there(std::size_t index);
    void place_is_gone(std::size_t index, Duration delay);
    JsConsumerConfig config(const Place& place) const;

    std::size_t requested() const noexcept;
    void pull_soon();
    void pull_more();
    void pull_partitions(std::size_t free);
    void pull(std::size_t index, std::size_t wanted, Duration expiry);
    void give_back(const NatsMessage& message);
    void receive(std::size_t index, const NatsMessage& message);
    void receive_status(std::size_t index, const NatsMessage& message);
    void deliver(Place& place, const NatsMessage& message, std::size_t index);
    void flush();
    void send_unsent();

    void look();
    void looked(std::size_t index, const JsConsumerInfo& info);
    void sum_up();

    void purge_next(const std::shared_ptr<Purge>& purge);
    void purged(const std::shared_ptr<Purge>& purge, const JsResult<JsConsumerInfo>& made);

    const JetStream api_;
    Options options_;
    OnDeliveries on_deliveries_;
    bool is_closed_ = false;
    bool is_connected_ = false;
    bool is_missing_told_ = false;
    std::uint64_t watch_ = 0;
    std::unique_ptr<Alarm> alarm_;
    std::vector<Place> places_;
    std::shared_ptr<OtherForm> other_form_;
    TimePoint other_form_at_{};  ///< when it is to be looked at
    bool is_other_form_known_ = false;
    std::uint64_t begin_seq_ = 0;  ///< where the other form is gone on from; 0: it was not there
    std::uint64_t fresh_seq_ = 1;  ///< without another form: what was there before is not wanted
    std::string stream_id_;                ///< that the places were in; empty: in none yet
    std::atomic<std::uint64_t> epoch_{0};  ///< counts streams; a delivery is answered in its own
    std::deque<std::size_t> line_;         ///< partitions that wait for credit, the longest first
    std::size_t credit_ = 0;               ///< deliveries that may still come
    bool is_pulling_soon_ = false;
    std::vector<Delivery> batch_;
    TimePoint look_at_{};

    mutable std::mutex mutex_;
    ConsumerFigures figures_;
    /// Answers that could not be sent, as there was no connection: address and text.
    std::deque<std::pair<std::string, std::string>> unsent_;
};

}  // namespace fanfare
