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
    /// `text` is nothing if it was taken away.
    using OnChange =
        std::function<void(std::string_view key, std::optional<std::string_view> text)>;

    virtual ~Board() = default;

    /// Keys are of [A-Za-z0-9_-] and dots between.
    virtual void put(const std::string& key, const std::string& text) = 0;
    virtual void erase(const std::string& key) = 0;

    /// Once: all that is there, then `on_read` for the first time that this has been told, then
    /// every change, own ones included. On a thread of the board's.
    virtual void watch(OnChange on_change, std::function<void()> on_read) = 0;
};

}  // namespace fanfare
