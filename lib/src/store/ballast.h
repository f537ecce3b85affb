#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace fanfare {

/// A file that only takes up room on the disk, to be given back when the disk is full: so that what
/// makes room, and needs a little itself, can still be written. Blocks.
class Ballast {
  public:
    static constexpr std::uint64_t bytes = std::uint64_t{8} << 20;

    explicit Ballast(std::string file) : file_(std::move(file)) {}

    bool is_there() const noexcept { return is_there_; }

    /// Whether it is there then: only if as much again is left. Where room cannot be had without
    /// writing it is not.
    bool take() noexcept;

    /// Whether there was something to give back.
    bool release() noexcept;

  private:
    const std::string file_;
    bool is_there_ = false;
};

}  // namespace fanfare
