#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "event/json_view.h"

namespace fanfare::test {

/// A text in a block that ends exactly where its padding ends, so that ASan sees a read beyond.
/// The padding is full of what would change the meaning of a text that is read too far.
class PaddedText {
  public:
    explicit PaddedText(std::string_view text)
        : size_(text.size()), bytes_(new char[text.size() + json_padding]) {
        std::memcpy(bytes_.get(), text.data(), text.size());
        for (std::size_t i = 0; i < json_padding; ++i) bytes_[size_ + i] = "\"}]1,"[i % 5];
    }

    std::string_view view() const { return {bytes_.get(), size_}; }

  private:
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
};

}  // namespace fanfare::test
