#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/fields.h"

namespace fanfare {

/// Why a message cannot be read on, with the status that says so (SPEC 4).
struct HttpProblem {
    int status = 400;          ///< 400, 411, 413, 417, 431, 501, 505
    const char* message = "";  ///< a constant phrase
};

/// The head of a request, as text views that live until the parser is reset or fed a next
/// message. Header names compare without case.
struct RequestHead {
    std::string_view method;
    std::string_view target;  ///< as sent; origin form, absolute form or `*`
    int version = 11;         ///< 10 or 11
    bool keep_alive = true;
    bool is_chunked = false;
    bool expects_continue = false;
    std::optional<std::uint64_t> content_length;
    FieldViews fields;

    /// The first field of that name, or nothing. By FieldName it is quicker.
    std::optional<std::string_view> find(FieldName name) const noexcept {
        return fields.find(name);
    }
    std::optional<std::string_view> find(std::string_view name) const noexcept {
        return fields.find(name);
    }
    std::size_t count(std::string_view name) const noexcept { return fields.count(name); }
    /// The path of the target, without its query; empty for a target that has none, `*` say.
    std::string_view path() const noexcept;
};

/// Reads HTTP/1 requests off a connection, one after the other, strictly (SPEC 4). Fed with
/// whatever bytes come, also one at a time. No I/O. framing.h takes the heads apart.
///
/// Use: feed() until has_head(); decide; feed() until is_done(); take_body();
/// next(). feed() stops consuming at the end of a head and at the end of a message, so that the
/// caller can act in between; what it did not consume is to be fed again.
class RequestParser {
  public:
    struct Limits {
        std::size_t head_bytes_max = 16 * 1024;        ///< 431 beyond
        std::size_t body_bytes_max = 4 * 1024 * 1024;  ///< 413 beyond
        bool post_needs_length = true;  ///< 411 for a POST that does not say how long it is
    };

    explicit RequestParser(const Limits& limits);
    ~RequestParser();

    /// Consumes some of `bytes`; returns how many. After a problem it consumes nothing more.
    std::size_t feed(std::string_view bytes);

    bool has_head() const noexcept;
    bool is_done() const noexcept;
    /// Whether any byte of the present message has come.
    bool has_begun() const noexcept;
    const std::optional<HttpProblem>& problem() const noexcept;

    const RequestHead& head() const noexcept;

    /// The body, exactly as sent, chunking removed; once is_done(). Its capacity leaves at least
    /// 64 bytes behind the body, as simdjson wants.
    std::string take_body();

    /// Drops the body that comes instead of keeping it; it is still bounded.
    void discard_body();

    /// Ready for the next message on the connection.
    void next();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads the answer to a POST, as strictly. 1xx answers are skipped, 101 is an answer.
class ResponseParser {
  public:
    /// All heads of an answer together; beyond: a problem.
    static constexpr std::size_t head_bytes_max = 64 * 1024;
    /// Beyond that the body is not read, unless limit_body() says otherwise: the caller closes the
    /// connection.
    static constexpr std::size_t body_bytes_max = 64 * 1024;

    ResponseParser();
    ~ResponseParser();

    /// For the next answer.
    void reset();

    std::size_t feed(std::string_view bytes);
    /// The peer ended the connection: completes an answer that has no length.
    void feed_eof();

    /// Whether any byte of an answer has come.
    bool has_begun() const noexcept;
    /// The final head is there: status() counts, also if the body cannot be read.
    bool has_head() const noexcept;
    /// The whole answer has been read.
    bool is_done() const noexcept;
    /// More body than is read has come or is announced.
    bool is_too_long() const noexcept;
    /// What cannot be read as HTTP; null if all is well.
    const char* problem() const noexcept;

    int status() const noexcept;
    /// Whether the connection can be used again; once is_done().
    bool keep_alive() const noexcept;
    /// A field of the final head; the first of that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    /// Kept only if keep_body(true) was called; for the command line.
    const std::string& body() const noexcept;
    /// What has come of the body since the last call; body() is empty then.
    std::string take_body() noexcept;
    void keep_body(bool keep) noexcept;
    /// Reads bodies of that size instead of body_bytes_max, from the next answer on. Resets.
    void limit_body(std::size_t bytes_max);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fanfare
