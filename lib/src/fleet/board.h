#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fanfare/clock.h"

namespace fanfare {

/// Small texts by name that all processes of a fleet see: who is there, what is paused. The last
/// word counts, and stays until it is taken away. Any thread; nothing blocks. What cannot be put,
/// as nobody can be reached, is not put later.
class Board {
  public:
    /// What has become of a key.
    struct Change {
        std::string_view key;
        std::optional<std::string_view> text;  ///< nothing: it was taken away
        /// When, by a clock of the board's, which need not agree with that of any process; zero
        /// where nobody can tell.
        WallTime at{};
    };
    using OnChange = std::function<void(const Change& change)>;

    virtual ~Board() = default;

    /// Keys are of [A-Za-z0-9_-] and dots between.
    virtual void put(const std::string& key, const std::string& text) = 0;
    virtual void erase(const std::string& key) = 0;

    /// Once: all that is there, then `on_read`, then every change, own ones included. `on_read`
    /// comes again whenever the board could not be heard for a while, once what was missed has been
    /// told: what was put meanwhile may be lost. On a thread of the board's.
    virtual void watch(OnChange on_change, std::function<void()> on_read) = 0;
};

}  // namespace fanfare
