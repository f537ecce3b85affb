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

        void put(const std::string& key, const std::string& text) override {
            if (is_cut_off) return;
            board_.texts[key] = text;
            board_.tell(key, text);
        }
        void erase(const std::string& key) override {
            if (is_cut_off) return;
            board_.texts.erase(key);
            board_.tell(key, std::nullopt);
        }
        void watch(OnChange on_change) override {
            on_change_ = std::move(on_change);
            board_.clients_.push_back(this);
            for (const auto& [key, text] : board_.texts) on_change_(key, text);
        }

        bool is_cut_off = false;

      private:
        friend class FakeBoard;
        FakeBoard& board_;
        OnChange on_change_;
    };

    std::map<std::string, std::string> texts;

  private:
    void tell(std::string_view key, std::optional<std::string_view> text) {
        for (Client* client : clients_) {
            if (!client->is_cut_off) client->on_change_(key, text);
        }
    }

    std::vector<Client*> clients_;
};

}  // namespace fanfare::test
