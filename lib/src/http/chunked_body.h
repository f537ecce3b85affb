#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/framing.h"

namespace fanfare {

/// Takes the chunked transfer coding off a body that comes in pieces, strictly: every line ends
/// in CRLF, a size is hexadecimal digits and nothing else. Extensions and trailers are skipped.
class ChunkedBody {
  public:
    /// Of all chunks together.
    static constexpr std::size_t extension_bytes_max = 4096;
    static constexpr std::size_t trailer_bytes_max = 8192;

    enum class Problem : std::uint8_t { none, malformed, too_long, trailers_too_long };

    struct Step {
        std::size_t consumed = 0;  ///< bytes that are done with
        std::string_view data;     ///< a piece of the body among them
    };

    /// A body longer than `body_bytes_max` is Problem::too_long as soon as a size says so.
    explicit ChunkedBody(std::uint64_t body_bytes_max) noexcept : left_(body_bytes_max) {}

    /// Takes bytes up to the end of the next piece of data; what is not consumed is to be given
    /// again. Consumes nothing once is_done() or after a problem.
    Step step(std::string_view bytes);

    /// Takes all that can be taken of `bytes`, giving `keep` each piece of data among them. Returns
    /// how many are consumed.
    template <class Keep>
    std::size_t feed(std::string_view bytes, Keep keep) {
        std::size_t consumed = 0;
        while (consumed < bytes.size() && !is_done() && message_ == nullptr) {
            const Step next = step(bytes.substr(consumed));
            keep(next.data);
            consumed += next.consumed;
        }
        return consumed;
    }

    bool is_done() const noexcept { return state_ == State::done; }
    Problem problem() const noexcept { return problem_; }
    /// What is wrong, a constant phrase; null if nothing is.
    const char* message() const noexcept { return message_; }

  private:
    enum class State : std::uint8_t {
        size_start,
        size,
        extension,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailers,
        done,
        failed,
    };

    void take(char byte);
    void take_size(char byte);
    void take_extension(char byte);
    void end_size_line();
    std::size_t take_trailers(std::string_view bytes);
    void fail(Problem problem, const char* message);

    State state_ = State::size_start;
    Problem problem_ = Problem::none;
    std::uint8_t size_digits_ = 0;
    std::uint64_t left_;      // how much more body there may be
    std::uint64_t size_ = 0;  // of this chunk, or what is still to come of it
    std::size_t extension_bytes_ = 0;
    const char* message_ = nullptr;
    std::string trailers_;
    HeadScanner trailer_scanner_{HeadScanner::Kind::trailers};
};

}  // namespace fanfare
