#pragma once

#include <string>
#include <vector>

#include "fanfare/dead_letters.h"

namespace fanfare::test {

/// Keeps what it is given.
class Letters final : public DeadLetterBox {
  public:
    void put(DeadLetter letter) noexcept override { all.push_back(std::move(letter)); }

    std::vector<std::string> ids() const {
        std::vector<std::string> ids;
        for (const DeadLetter& letter : all) ids.emplace_back(letter.event->id());
        return ids;
    }

    void discard(std::span<const std::int64_t> letters) noexcept override {
        discarded.insert(discarded.end(), letters.begin(), letters.end());
    }
    void keep(std::span<const std::int64_t> letters) noexcept override {
        kept.insert(kept.end(), letters.begin(), letters.end());
    }

    std::vector<DeadLetter> all;
    std::vector<std::int64_t> discarded;
    std::vector<std::int64_t> kept;
};

}  // namespace fanfare::test
