#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/container/small_vector.hpp>
#include <span>
#include <string_view>

#include "fanfare/event.h"

namespace fanfare {

/// The registry's `{"events":[…]}` around a batch as wire buffers. Copies nothing: the buffers
/// are views into the batch, which must outlive the envelope.
class Envelope {
  public:
    static constexpr std::string_view opening = "{\"events\":[";
    static constexpr std::string_view separator = ",";
    static constexpr std::string_view closing = "]}";

    explicit Envelope(Batch batch);

    std::span<const boost::asio::const_buffer> buffers() const noexcept { return buffers_; }
    std::size_t size_bytes() const noexcept { return size_bytes_; }

    /// The media type the first event was received in, else the registry's v2 (SPEC 6).
    static std::string_view media_type(Batch batch) noexcept;

  private:
    boost::container::small_vector<boost::asio::const_buffer, 4> buffers_;
    std::size_t size_bytes_ = 0;
};

}  // namespace fanfare
