#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fanfare/error.h"
#include "fanfare/event.h"
#include "fanfare/http_sink.h"

namespace fanfare {

/// What a format makes of a batch: the body of a request as wire buffers, and what its head says
/// about it. A sink uses one for all of its requests, so that its memory is used again. The views
/// and buffers point into the batch, into constants and into this object's own texts.
class Body {
  public:
    using Buffers = boost::container::small_vector<boost::asio::const_buffer, 8>;

    /// Kept of a text's memory from one request to the next; an idle sink must cost little.
    static constexpr std::size_t kept_bytes_max = std::size_t{64} * 1024;

    /// Back to a body without bytes.
    void clear() {
        buffers_.clear();
        buffers_.emplace_back();
        size_bytes_ = 0;
        content_type = {};
        clear(head_lines);
        clear(text);
    }

    /// Adds bytes that stay where they are, and alive, until the request has ended.
    void append(std::string_view bytes) {
        buffers_.emplace_back(bytes.data(), bytes.size());
        size_bytes_ += bytes.size();
    }

    std::size_t size_bytes() const noexcept { return size_bytes_; }

    /// The buffers of a request: the first is the place of its head, the others are the body.
    Buffers& request() noexcept { return buffers_; }

    /// The body alone.
    std::span<const boost::asio::const_buffer> buffers() const noexcept {
        return std::span(buffers_).subspan(1);
    }

    /// Empty: the head has no such line.
    std::string_view content_type;
    /// Further lines of the head, each with its line end.
    std::string head_lines;
    /// Room for bytes that had to be made.
    std::string text;

  private:
    static void clear(std::string& text) {
        text.clear();
        if (text.capacity() > kept_bytes_max) text.shrink_to_fit();
    }

    Buffers buffers_;
    std::size_t size_bytes_ = 0;
};

/// How the events of a batch become a request's body (SPEC 6). Pure: the same batch always gives
/// the same bytes, so that every attempt sends what the first one sent. Any thread.
class Format {
  public:
    virtual ~Format() = default;

    /// Fills `body`, which is clear. The batch must outlive what is done with the body. Throws
    /// render_error() for events that cannot take this form; trying again is of no use then.
    virtual void render(Batch batch, Body& body) const = 0;
};

/// The format that the options ask for. An Error if its template is none.
Result<std::unique_ptr<Format>> make_format(const HttpSinkOptions& options);

}  // namespace fanfare
