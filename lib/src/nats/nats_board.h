#pragma once

#include <memory>
#include <string>

#include "fleet/board.h"
#include "nats/jetstream.h"

namespace fanfare {

struct NatsBoardOptions {
    std::string bucket = "fanfare_board";  ///< as `nats kv` names it
    unsigned replicas = 1;
};

/// A board that is a key-value bucket of NATS, which is a stream with one message for each key.
class NatsBoard final : public Board {
  public:
    /// `connection` must outlive the board. Makes the bucket if need be.
    NatsBoard(NatsConnection& connection, NatsBoardOptions options);
    /// Nothing is called any more once this has returned.
    ~NatsBoard() override;

    void put(const std::string& key, const std::string& text) override;
    void erase(const std::string& key) override;
    void watch(OnChange on_change, std::function<void()> on_read) override;

  private:
    class Impl;
    const std::shared_ptr<Impl> impl_;
};

}  // namespace fanfare
