#include "nats/nats_board.h"

#include <map>
#include <utility>

#include "nats/ordered_reader.h"

namespace fanfare {

namespace {

constexpr Duration board_retry_delay = std::chrono::seconds(1);
constexpr Duration ensure_interval = std::chrono::seconds(15);
/// A key that was taken away leaves a mark, for those who watch; after so long nobody needs it.
constexpr Duration marks_kept = std::chrono::hours(1);

}  // namespace

/// Lives on the connection's loop, where not said otherwise.
class NatsBoard::Impl : public std::enable_shared_from_this<NatsBoard::Impl> {
  public:
    Impl(NatsConnection& connection, NatsBoardOptions options)
        : api_(connection),
          options_(std::move(options)),
          stream_("KV_" + options_.bucket),
          prefix_("$KV." + options_.bucket + "."),
          alarm_(connection.clock().make_alarm(connection.executor())) {}

    void start() {
        watch_ = connection().watch([weak = weak_from_this()](bool is_connected) {
            const auto self = weak.lock();
            if (!self || self->is_closed_) return;
            self->alarm_->clear();
            if (is_connected) self->ensure();
        });
    }

    void close() {
        is_closed_ = true;
        connection().unwatch(watch_);
        alarm_.reset();
        if (reader_) reader_->close();
        reader_.reset();
    }

    void watch(OnChange on_change, std::function<void()> on_read) {
        on_change_ = std::move(on_change);
        on_read_ = std::move(on_read);
        const OrderedReader::Options options{.stream = stream_, .filter = prefix_ + ">"};
        const OrderedReader::Callbacks callbacks{
            [this](const JsStreamInfo&) { return read_anew(); },
            [this](std::uint64_t seq, const NatsMessage& message) { tell(seq, message); },
            [this] { end_reading(); }};
        reader_ = OrderedReader::make(api_, options, callbacks);
        reader_->start();
    }

    // Any thread.
    NatsConnection& connection() const noexcept { return api_.connection(); }

    void send(const std::string& key, const std::string& text, NatsHeaders headers) const {
        connection().publish(
            {.subject = prefix_ + key, .headers = std::move(headers), .payload = text});
    }

  private:
    void ensure() {
        const JsStreamConfig config{.name = stream_,
                                    .subjects = {prefix_ + ">"},
                                    .discard_new = true,
                                    .replicas = options_.replicas,
                                    .per_subject_max = 1,
                                    .allow_rollup = true,
                                    .deny_delete = true,
                                    .is_told = is_ensured_};
        api_.ensure_stream(config, [weak = weak_from_this()](const JsResult<JsStreamInfo>& info) {
            const auto self = weak.lock();
            if (self && !self->is_closed_) self->ensured(info);
        });
    }

    void ensured(const JsResult<JsStreamInfo>& info) {
        if (!connection().is_connected()) return;
        if (info) {
            last_problem_.clear();
            is_ensured_ = true;
            // Somebody may delete it.
            alarm_->set(connection().clock().now() + ensure_interval, [this] { ensure(); });
            return;
        }
        if (info.error().text() != last_problem_) {
            last_problem_ = info.error().text();
            connection().log().warn("nats", "cannot make the board, will retry",
                                    {{"error", last_problem_}});
        }
        alarm_->set(connection().clock().now() + board_retry_delay, [this] { ensure(); });
    }

    /// The bucket is another one, and is read from its first message on.
    std::uint64_t read_anew() {
        unseen_ = keys_;
        return 1;
    }

    /// What the other one held, and this one does not, is gone.
    void end_reading() {
        for (const auto& [key, text] : std::exchange(unseen_, {})) {
            keys_.erase(key);
            on_change_({key, std::nullopt});
        }
        on_read_();
    }

    void tell(std::uint64_t seq, const NatsMessage& message) {
        const std::string_view subject = message.subject();
        if (subject.substr(0, prefix_.size()) != prefix_) return;
        const std::string key(subject.substr(prefix_.size()));
        const WallTime at = js_receipt(message.reply()).time;
        if (message.header("KV-Operation").empty()) {
            const auto unseen = unseen_.extract(key);
            if (!unseen.empty() && unseen.mapped() == message.payload()) return;
            keys_.insert_or_assign(key, std::string(message.payload()));
            on_change_({key, message.payload(), at});
            return;
        }
        unseen_.erase(key);
        if (keys_.erase(key) != 0) on_change_({key, std::nullopt, at});
        if (connection().clock().wall() - at < marks_kept) return;
        const JsPurge mark{.below_seq = seq + 1, .subject = std::string(subject)};
        api_.purge(stream_, mark, [](const JsResult<std::uint64_t>&) {});
    }

    const JetStream api_;
    const NatsBoardOptions options_;
    const std::string stream_;
    const std::string prefix_;
    bool is_closed_ = false;
    bool is_ensured_ = false;  ///< has been; how it differs is not logged every time
    std::uint64_t watch_ = 0;
    std::unique_ptr<Alarm> alarm_;
    OnChange on_change_;
    std::function<void()> on_read_;
    std::shared_ptr<OrderedReader> reader_;
    std::map<std::string, std::string> keys_;    // with their texts
    std::map<std::string, std::string> unseen_;  // of these, since the bucket is another one
    std::string last_problem_;
};

NatsBoard::NatsBoard(NatsConnection& connection, NatsBoardOptions options)
    : impl_(std::make_shared<Impl>(connection, std::move(options))) {
    impl_->start();
}

NatsBoard::~NatsBoard() {
    impl_->connection().sync([this] { impl_->close(); });
}

void NatsBoard::put(const std::string& key, const std::string& text) { impl_->send(key, text, {}); }
void NatsBoard::erase(const std::string& key) { impl_->send(key, {}, {{"KV-Operation", "DEL"}}); }

void NatsBoard::watch(OnChange on_change, std::function<void()> on_read) {
    impl_->connection().sync([&] { impl_->watch(std::move(on_change), std::move(on_read)); });
}

}  // namespace fanfare
