#pragma once

#include <map>
#include <string>
#include <vector>

#include "fleet/board.h"

namespace fanfare::test {

/// A board in memory that several processes of one test share. Everybody hears of a change during
/// the call.
class FakeBoard {
  public:
    /// A process's way to it.
    class Client final : public Board {
      public:
        explicit Client(FakeBoard& board) : board_(board) {}
        ~Client() override { std::erase(board_.clients_, this); }
        Client(const Client&) = delete;
        Client& operator=(const Client&) = delete;

        void put(const std::string& key, const std::string& text) override {
            if (is_cut_off) return;
            board_.texts[key] = text;
            board_.times[key] = board_.now;
            board_.tell(key, text);
        }
        void erase(const std::string& key) override {
            if (is_cut_off) return;
            board_.texts.erase(key);
            board_.tell(key, std::nullopt);
        }
        void watch(OnChange on_change, std::function<void()> on_read) override {
            on_change_ = std::move(on_change);
            on_read_ = std::move(on_read);
            board_.clients_.push_back(this);
            if (!is_slow) read();
        }
        /// Tells all that is there, for the first time or after it was cut off.
        void read() {
            for (const auto& [key, text] : board_.texts) {
                on_change_({key, text, board_.times[key]});
            }
            on_read_();
        }

        bool is_cut_off = false;
        bool is_slow = false;  ///< read() is to be called

      private:
        friend class FakeBoard;
        FakeBoard& board_;
        OnChange on_change_;
        std::function<void()> on_read_;
    };

    std::map<std::string, std::string> texts;
    std::map<std::string, WallTime> times;  ///< when they were put
    /// The board's own clock, which stands still unless it is set, and is none that others have.
    WallTime now{std::chrono::seconds(1'600'000'000)};

  private:
    void tell(std::string_view key, std::optional<std::string_view> text) {
        for (Client* client : clients_) {
            if (!client->is_cut_off) client->on_change_({key, text, now});
        }
    }

    std::vector<Client*> clients_;
};

}  // namespace fanfare::test
