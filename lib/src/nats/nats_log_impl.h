#pragma once

#include <atomic>
#include <mutex>
#include <random>

#include "nats/janitor.h"
#include "nats/nats_log.h"
#include "nats/ordered_reader.h"

namespace fanfare {

/// Lives on the connection's loop, where not said otherwise.
class NatsLog::Impl : public std::enable_shared_from_this<NatsLog::Impl> {
  public:
    Impl(NatsConnection& connection, NatsLogOptions options);

    void start();
    void close();

    // Any thread.
    bool append(std::vector<LogEntry> entries, OnPublished on_published);
    SharedLogFigures figures() const;
    std::shared_ptr<const NatsLogOptions> options() const;
    void change(NatsLogOptions options);

    void follow(std::size_t records,
                std::function<void(const std::string& id, std::uint64_t next)> on_start,
                OnEntry on_entry);
    void forget(const std::string& endpoint, std::function<void(bool)> on_done);
    void places(std::function<void(std::optional<std::vector<std::string>>)> on_done);

    /// The stream has got as far as this. Any thread.
    void knows(std::uint64_t seq) noexcept;

    /// A place is being made, or is there. Any thread.
    void place_is_missing() noexcept;
    void place_is_there() noexcept { --places_missing_; }

    JetStream api() const noexcept { return api_; }
    std::string subject(unsigned partition) const;
    std::string all_subjects() const { return stream_ + ".events.*"; }
    const std::string& stream() const noexcept { return stream_; }
    /// Empty: it is not known to be there. On the loop.
    std::string stream_id() const { return is_ready_ ? stream_id_ : std::string(); }

  private:
    struct Group;

    void set_connected(bool is_connected);
    void ensure();
    void ensured(const JsResult<JsStreamInfo>& info);
    void look();
    void note(const JsStreamInfo& info);
    void clean();
    void clean_later();
    void publish(const std::shared_ptr<Group>& group, std::size_t index, NatsHeaders headers,
                 unsigned repeats);
    /// How far the stream was known to be, and which stream.
    struct Known {
        std::uint64_t seq;
        unsigned epoch;
    };
    bool is_reused(const JsPubAck& ack, const Known& known) const noexcept;
    void reused(const std::shared_ptr<Group>& group, std::size_t index, unsigned repeats,
                const JsPubAck& ack);
    void publish_again(const std::shared_ptr<Group>& group, std::size_t index, unsigned repeats,
                       std::uint64_t seq);
    void published(const JsResult<JsPubAck>& ack, std::size_t index, Group& group);
    void refuse_all(const std::shared_ptr<Group>& group, std::size_t entries, Published how);

    NatsConnection& connection_;
    const JetStream api_;
    const std::string stream_;
    std::atomic<std::uint64_t> waiting_ = 0;
    std::atomic<std::uint64_t> highest_seq_ = 0;  ///< known of the stream
    std::atomic<unsigned> epoch_ = 0;             ///< counts the streams that there have been
    std::atomic<unsigned> places_started_ = 0;
    const unsigned first_places_;
    std::atomic<int> places_missing_;
    std::atomic<bool> is_open_ = false;  ///< the first places are there

    mutable std::mutex mutex_;
    std::shared_ptr<const NatsLogOptions> options_;
    SharedLogFigures figures_;

    bool is_closed_ = false;
    std::atomic<bool> is_ready_ = false;  ///< connected, and the stream is there
    std::uint64_t watch_ = 0;
    std::unique_ptr<Alarm> look_alarm_;
    std::unique_ptr<Alarm> clean_alarm_;
    std::shared_ptr<Janitor> janitor_;
    std::shared_ptr<OrderedReader> reader_;
    std::string stream_id_;
    /// Numbers that the stream may have given twice; zero: none.
    std::uint64_t reused_first_ = 0, reused_last_ = 0;
    std::string last_problem_;
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace fanfare
