#include "fanfare/channel_sink.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/wakeup.h"

namespace fanfare {

/// Shared by readers and sinks, so that either may go first.
class Channel::State {
  public:
    enum class Push { accepted, full, closed };

    explicit State(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

    /// All of `batch` or nothing; a batch larger than the channel needs it empty. If there is no
    /// room, `writer` is notified on `executor` as soon as that changes.
    Push push(Batch batch, const Executor& executor, const std::shared_ptr<Wakeup>& writer) {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return Push::closed;
        if (!events_.empty() && events_.size() + batch.size() > capacity_) {
            writers_.push_back({executor, writer});
            return Push::full;
        }
        events_.insert(events_.end(), batch.begin(), batch.end());
        readable_.notify_one();
        return Push::accepted;
    }

    /// A writer no longer waits.
    void forget(const std::shared_ptr<Wakeup>& writer) {
        const std::lock_guard lock(mutex_);
        std::erase_if(writers_, [&](const Writer& waiting) { return waiting.wakeup == writer; });
    }

    std::optional<EventPtr> pop(Duration limit) {
        std::unique_lock lock(mutex_);
        readable_.wait_for(lock, limit, [this] { return !events_.empty() || is_closed_; });
        if (events_.empty()) return std::nullopt;
        EventPtr event = std::move(events_.front());
        events_.pop_front();
        if (!events_.empty()) readable_.notify_one();
        wake_writers();
        return event;
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        readable_.notify_all();
        wake_writers();
    }

    bool is_closed() const {
        const std::lock_guard lock(mutex_);
        return is_closed_;
    }

  private:
    struct Writer {
        Executor executor;
        std::shared_ptr<Wakeup> wakeup;
    };

    void wake_writers() {
        for (Writer& writer : writers_) {
            net::post(writer.executor, [wakeup = std::move(writer.wakeup)] { wakeup->notify(); });
        }
        writers_.clear();
    }

    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable readable_;
    std::deque<EventPtr> events_;
    std::vector<Writer> writers_;
    bool is_closed_ = false;
};

/// A sink's wait for room in a channel.
struct Channel::Waiting {
    Waiting(State& channel, const Executor& executor)
        : wakeup(std::make_shared<Wakeup>(executor)), state(channel) {}
    ~Waiting() { state.forget(wakeup); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    const std::shared_ptr<Wakeup> wakeup;
    State& state;
};

Channel::Channel(std::size_t capacity) : state_(std::make_shared<State>(capacity)) {}

Channel::~Channel() { close(); }

std::optional<EventPtr> Channel::try_receive() { return state_->pop(Duration::zero()); }

std::optional<EventPtr> Channel::receive_for(Duration limit) { return state_->pop(limit); }

void Channel::close() { state_->close(); }

bool Channel::is_closed() const { return state_->is_closed(); }

ChannelSink::ChannelSink(const Channel& channel) : state_(channel.state_) {}

awaitable<Outcome> ChannelSink::deliver(Attempt attempt) {
    const Executor executor = co_await net::this_coro::executor;
    // The channel may outlive the loop that this wait belongs to, so a wait that is cancelled must
    // leave nothing behind.
    const Channel::Waiting room(*state_, executor);
    for (;;) {
        switch (state_->push(attempt.batch, executor, room.wakeup)) {
            case Channel::State::Push::accepted:
                co_return Outcome::delivered();
            case Channel::State::Push::closed:
                co_return Outcome::closed();
            case Channel::State::Push::full:
                break;
        }
        co_await room.wakeup->wait();
    }
}

}  // namespace fanfare
