#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "fanfare/endpoint.h"

namespace fanfare {

/// What has become of an endpoint's last events: one byte each, in pages that are made when they
/// are needed. Shard thread.
class EventFates {
  public:
    static constexpr std::uint64_t seqs_max = 16'384;

    void note(std::uint64_t seq, EventState state) noexcept { note(seq, state, 0); }
    void dropped(Batch batch, DropReason reason) noexcept;
    void given_up(Batch batch, DeadReason reason) noexcept;
    void delivered(Batch batch) noexcept;
    /// All that waits: what is under way is concluded later, and noted then.
    void all_dropped(DropReason reason) noexcept;

    struct Fate {
        EventState state = EventState::unknown;
        std::string_view reason;
    };
    /// What was never noted was not offered; what is older than the pages is unknown.
    Fate of(std::uint64_t seq) const noexcept;

  private:
    static constexpr std::uint64_t page_seqs = 1024;
    using Page = std::array<std::uint8_t, page_seqs>;

    void note(std::uint64_t seq, EventState state, std::size_t reason) noexcept;
    std::uint8_t* place_of(std::uint64_t seq) noexcept;

    // The pages of [page_seqs * n, page_seqs * (n + 1)) take turns.
    // One more than is promised: the newest begins empty.
    std::array<std::unique_ptr<Page>, seqs_max / page_seqs + 1> pages_;
    std::uint64_t newest_page_ = 0;
    std::uint64_t unnoted_to_ = 0;  // the last seq that there was no memory for
};

}  // namespace fanfare
