#include <algorithm>
#include <cassert>
#include <utility>

#include "http/chunked_body.h"
#include "http/field_values.h"
#include "http/head_reader.h"
#include "http/http_parser.h"

namespace fanfare {
namespace {

// What simdjson reads past the end.
constexpr std::size_t body_padding = 64;
// Up to here the memory for a body is taken at once; beyond, only when that much has really come.
constexpr std::size_t trusted_body_bytes = 256 * 1024;

HttpProblem problem_of(int status, const char* message) {
    HttpProblem problem;
    problem.status = status;
    problem.message = message;
    return problem;
}

HttpProblem problem_of(const ChunkedBody& body) {
    switch (body.problem()) {
        case ChunkedBody::Problem::too_long:
            return problem_of(413, body.message());
        case ChunkedBody::Problem::trailers_too_long:
            return problem_of(431, body.message());
        case ChunkedBody::Problem::none:
        case ChunkedBody::Problem::malformed:
            break;
    }
    return problem_of(400, body.message());
}

const char* check_host(const RequestHead& head) {
    if (head.fields.has_many(FieldName::host)) return "more than one Host";
    const auto host = head.find(FieldName::host);
    if (!host) return head.version >= 11 ? "Host is missing" : nullptr;
    return is_valid_host(*host) ? nullptr : "Host is not valid";
}

/// Fields that must not be there twice, as nobody could say which one counts.
const char* check_repeated(const RequestHead& head) {
    if (head.fields.has_many(FieldName::webhook_id)) return "more than one webhook-id";
    if (head.fields.has_many(FieldName::idempotency_key)) return "more than one Idempotency-Key";
    return nullptr;
}

/// Sets expects_continue; false if the client expects something else.
bool read_expectation(RequestHead& head) {
    if (!head.fields.has(FieldName::expect)) return true;
    for (const Field& field : head.fields) {
        if (field.known_name != FieldName::expect) continue;
        if (!equals_ignoring_case(field.value, "100-continue")) return false;
        // A 1.0 client would take the interim answer for the final one (RFC 9110 10.1.1).
        head.expects_continue = head.version >= 11;
    }
    return true;
}

}  // namespace

class RequestParser::Impl {
  public:
    explicit Impl(const Limits& limits) : limits_(limits) {}

    std::size_t feed(std::string_view bytes);
    void next();
    std::string take_body();

    bool has_head() const noexcept { return state_ == State::body || state_ == State::done; }
    bool is_done() const noexcept { return state_ == State::done; }
    bool has_begun() const noexcept {
        return reader_.has_begun() || empty_line_ == EmptyLine::begun || state_ != State::head;
    }
    void discard_body() noexcept { discards_ = true; }
    const std::optional<HttpProblem>& problem() const noexcept { return problem_; }
    const RequestHead& head() const noexcept { return head_; }

  private:
    enum class State : std::uint8_t { head, body, done, failed };
    /// The one before a request that is ignored.
    enum class EmptyLine : std::uint8_t { none, begun, skipped };

    std::size_t feed_head(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    std::size_t feed_chunks(std::string_view bytes);
    std::size_t skip_empty_line(std::string_view bytes);
    void take_head();
    void begin_body();
    std::optional<HttpProblem> check_head();
    void keep(std::string_view data);
    void fail(HttpProblem problem);

    const Limits limits_;
    State state_ = State::head;
    bool discards_ = false;
    EmptyLine empty_line_ = EmptyLine::none;
    std::optional<HttpProblem> problem_;
    HeadReader reader_{HeadScanner::Kind::request};
    RequestHead head_;
    std::uint64_t left_ = 0;  // of a body with a length
    std::optional<ChunkedBody> chunks_;
    std::string body_;
};

std::size_t RequestParser::Impl::feed(std::string_view bytes) {
    switch (state_) {
        case State::head:
            return bytes.empty() ? 0 : feed_head(bytes);
        case State::body:
            return head_.is_chunked ? feed_chunks(bytes) : feed_body(bytes);
        case State::done:
        case State::failed:
            return 0;
    }
    return 0;
}

std::size_t RequestParser::Impl::feed_head(std::string_view bytes) {
    const bool is_first = empty_line_ == EmptyLine::none && !reader_.has_begun();
    if (empty_line_ == EmptyLine::begun || (is_first && bytes.front() == '\r')) {
        return skip_empty_line(bytes);
    }
    const HeadReader::Step step = reader_.read(bytes, limits_.head_bytes_max);
    switch (step.state) {
        case HeadReader::Step::State::incomplete:
            break;
        case HeadReader::Step::State::complete:
            take_head();
            break;
        case HeadReader::Step::State::too_large:
            fail(problem_of(431, "the request head is too large"));
            break;
        case HeadReader::Step::State::bad:
            fail(problem_of(400, step.problem));
            break;
    }
    return step.consumed;
}

/// Some clients send an empty line behind a body. One is ignored (RFC 9112 2.2).
std::size_t RequestParser::Impl::skip_empty_line(std::string_view bytes) {
    const std::size_t line_feed = empty_line_ == EmptyLine::begun ? 0 : 1;
    empty_line_ = EmptyLine::begun;
    if (line_feed == bytes.size()) return line_feed;
    if (bytes[line_feed] != '\n') {
        fail(problem_of(400, "bare CR in the head"));
        return 0;
    }
    empty_line_ = EmptyLine::skipped;
    return line_feed + 1;
}

void RequestParser::Impl::take_head() {
    // Before the version is taken over: the answer is of that version too.
    if (const char* problem = check_version(reader_.version())) {
        return fail(problem_of(505, problem));
    }
    head_.method = reader_.method();
    head_.target = reader_.target();
    head_.version = reader_.version();
    reader_.list_fields(head_.fields);
    if (const auto problem = check_head()) return fail(*problem);
    begin_body();
}

void RequestParser::Impl::begin_body() {
    state_ = State::body;
    if (head_.is_chunked) {
        chunks_.emplace(limits_.body_bytes_max);
    } else {
        left_ = head_.content_length.value_or(0);
        if (left_ == 0) state_ = State::done;
    }
}

std::optional<HttpProblem> RequestParser::Impl::check_head() {
    const ConnectionWish connection = read_connection(head_.fields);
    if (connection.problem != nullptr) return problem_of(400, connection.problem);
    head_.keep_alive = connection.can_stay_open(head_.version);

    const BodyFraming framing = read_body_framing(head_.fields, head_.version);
    if (framing.problem != nullptr) {
        return problem_of(framing.has_unknown_coding ? 501 : 400, framing.problem);
    }
    if (const char* problem = check_host(head_)) return problem_of(400, problem);
    if (const char* problem = check_repeated(head_)) return problem_of(400, problem);
    if (!read_expectation(head_)) return problem_of(417, "this expectation is not supported");

    head_.content_length = framing.content_length;
    head_.is_chunked = framing.is_chunked;
    if (!framing.content_length && !framing.is_chunked) {
        head_.expects_continue = false;
        if (limits_.post_needs_length && head_.method == "POST") {
            return problem_of(411, "POST needs Content-Length or Transfer-Encoding");
        }
    }
    if (framing.content_length.value_or(0) > limits_.body_bytes_max) {
        return problem_of(413, "the body is too large");
    }
    return std::nullopt;
}

std::size_t RequestParser::Impl::feed_body(std::string_view bytes) {
    const std::string_view data =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    keep(data);
    left_ -= data.size();
    if (left_ == 0) state_ = State::done;
    return data.size();
}

std::size_t RequestParser::Impl::feed_chunks(std::string_view bytes) {
    const std::size_t consumed =
        chunks_->feed(bytes, [this](std::string_view data) { keep(data); });
    if (chunks_->is_done()) state_ = State::done;
    if (chunks_->message() != nullptr) fail(problem_of(*chunks_));
    return consumed;
}

void RequestParser::Impl::keep(std::string_view data) {
    if (discards_) return;
    const std::size_t needed = body_.size() + data.size() + body_padding;
    if (needed > body_.capacity()) {
        const std::size_t announced = head_.is_chunked ? 0 : left_;
        const bool is_trusted = announced <= trusted_body_bytes || body_.size() > 0;
        const std::size_t wanted =
            is_trusted ? body_.size() + announced + body_padding : trusted_body_bytes;
        body_.reserve(std::max({needed, wanted, head_.is_chunked ? body_.size() * 2 : 0}));
    }
    body_.append(data);
}

std::string RequestParser::Impl::take_body() {
    assert(is_done());
    if (body_.capacity() < body_.size() + body_padding) body_.reserve(body_.size() + body_padding);
    return std::exchange(body_, {});
}

void RequestParser::Impl::fail(HttpProblem problem) {
    problem_ = problem;
    state_ = State::failed;
    std::string().swap(body_);
    chunks_.reset();
}

void RequestParser::Impl::next() {
    assert(is_done());
    state_ = State::head;
    discards_ = false;
    empty_line_ = EmptyLine::none;
    reader_.clear();
    FieldViews fields = std::move(head_.fields);
    fields.clear(HeadReader::fields_kept_max);
    head_ = {};
    head_.fields = std::move(fields);
    chunks_.reset();
    std::string().swap(body_);
}

RequestParser::RequestParser(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view bytes) { return impl_->feed(bytes); }
bool RequestParser::has_head() const noexcept { return impl_->has_head(); }
bool RequestParser::is_done() const noexcept { return impl_->is_done(); }
bool RequestParser::has_begun() const noexcept { return impl_->has_begun(); }
const std::optional<HttpProblem>& RequestParser::problem() const noexcept {
    return impl_->problem();
}
const RequestHead& RequestParser::head() const noexcept { return impl_->head(); }
std::string RequestParser::take_body() { return impl_->take_body(); }
void RequestParser::discard_body() { impl_->discard_body(); }
void RequestParser::next() { impl_->next(); }

}  // namespace fanfare
