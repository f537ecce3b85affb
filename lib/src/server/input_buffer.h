#pragma once

#include <boost/asio/buffer.hpp>
#include <memory>
#include <string_view>

namespace fanfare {

/// What has been read off a connection and not been used yet. Small while little comes, so that
/// an idle connection costs little; larger while a large body does.
class InputBuffer {
  public:
    static constexpr std::size_t small_bytes = 4096;
    static constexpr std::size_t large_bytes = 64 * 1024;

    InputBuffer() { resize(small_bytes); }

    std::string_view unused() const noexcept { return {&bytes_[begin_], end_ - begin_}; }
    bool is_empty() const noexcept { return begin_ == end_; }
    void use(std::size_t bytes) noexcept { begin_ += bytes; }

    /// Where to read to. All that was read before must have been used. `is_bulky`: much may come.
    boost::asio::mutable_buffer prepare(bool is_bulky) {
        if (is_bulky && was_filled_ && size_ != large_bytes) resize(large_bytes);
        begin_ = 0;
        end_ = 0;
        return {bytes_.get(), size_};
    }
    void commit(std::size_t bytes) noexcept {
        end_ = bytes;
        was_filled_ = bytes == size_;
    }

    /// Gives memory back, if nothing is lost by it.
    void shrink() {
        was_filled_ = false;
        if (is_empty() && size_ != small_bytes) resize(small_bytes);
    }

  private:
    void resize(std::size_t size) {
        bytes_ = std::make_unique_for_overwrite<char[]>(size);
        size_ = size;
        begin_ = 0;
        end_ = 0;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool was_filled_ = false;
};

}  // namespace fanfare
