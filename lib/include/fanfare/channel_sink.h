#pragma once

#include <memory>
#include <optional>

#include "fanfare/sink.h"

namespace fanfare {

/// Hands events to a reader in the same process, as go-events' Channel does. Any thread.
/// Once closed it stays closed, and closed wins: nothing is accepted afterwards even if there is
/// room. What was accepted before can still be received.
class Channel {
  public:
    /// Holds up to `capacity` events that no reader has taken yet; at least 1.
    explicit Channel(std::size_t capacity);
    ~Channel();

    /// The oldest event, or nothing if there is none at this moment.
    std::optional<EventPtr> try_receive();

    /// The oldest event; waits up to `limit` for one. Nothing if the time has passed, or the
    /// channel is closed and empty. Blocks: never call it on a shard's thread.
    std::optional<EventPtr> receive_for(Duration limit);

    void close();
    bool is_closed() const;

  private:
    friend class ChannelSink;
    class State;
    struct Waiting;
    std::shared_ptr<State> state_;
};

/// Delivers into a Channel; waits, without blocking the shard, while the channel is full.
/// Answers Outcome::closed() once it is closed.
class ChannelSink final : public Sink {
  public:
    explicit ChannelSink(const Channel& channel);
    awaitable<Outcome> deliver(Attempt attempt) override;

  private:
    std::shared_ptr<Channel::State> state_;
};

}  // namespace fanfare
