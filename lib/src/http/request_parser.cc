#include <algorithm>
#include <cassert>
#include <utility>

#include "http/beast_head.h"
#include "http/chunked_body.h"
#include "http/http_parser.h"

namespace fanfare {
namespace {

// What simdjson reads past the end.
constexpr std::size_t body_padding = 64;
// Up to here the memory for a body is taken at once; beyond, only when that much has really come.
constexpr std::size_t trusted_body_bytes = 256 * 1024;
// What an idle connection may keep for the next head.
constexpr std::size_t kept_head_bytes = 2048;
constexpr std::size_t kept_fields = 32;

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
    const std::size_t hosts = head.count("Host");
    if (hosts > 1) return "more than one Host";
    if (hosts == 0) return head.version >= 11 ? "Host is missing" : nullptr;
    return is_valid_host(*head.find("Host")) ? nullptr : "Host is not valid";
}

/// Fields that must not be there twice, as nobody could say which one counts.
const char* check_repeated(const RequestHead& head) {
    if (head.count("webhook-id") > 1) return "more than one webhook-id";
    if (head.count("Idempotency-Key") > 1) return "more than one Idempotency-Key";
    return nullptr;
}

/// Sets expects_continue; false if the client expects something else.
bool read_expectation(RequestHead& head) {
    for (const auto& [name, value] : head.fields) {
        if (!equals_ignoring_case(name, "Expect")) continue;
        if (!equals_ignoring_case(value, "100-continue")) return false;
        // A 1.0 client would take the interim answer for the final one (RFC 9110 10.1.1).
        head.expects_continue = head.version >= 11;
    }
    return true;
}

}  // namespace

std::optional<std::string_view> RequestHead::find(std::string_view name) const noexcept {
    return find_field(fields, name);
}

std::size_t RequestHead::count(std::string_view name) const noexcept {
    return count_fields(fields, name);
}

std::string_view RequestHead::path() const noexcept {
    std::string_view rest = target;
    if (!rest.starts_with('/')) {
        // The absolute form, as a proxy sends it.
        const std::size_t scheme_end = rest.find("://");
        if (scheme_end == std::string_view::npos) return {};
        const std::size_t begin = rest.find_first_of("/?", scheme_end + 3);
        if (begin == std::string_view::npos || rest[begin] == '?') return "/";
        rest.remove_prefix(begin);
    }
    return rest.substr(0, rest.find('?'));
}

class RequestParser::Impl {
  public:
    explicit Impl(const Limits& limits) : limits_(limits) {}

    std::size_t feed(std::string_view bytes);
    void next();
    std::string take_body();

    bool has_head() const noexcept { return state_ == State::body || state_ == State::done; }
    bool is_done() const noexcept { return state_ == State::done; }
    bool has_begun() const noexcept { return !text_.empty() || has_head(); }
    void discard_body() noexcept { discards_ = true; }
    const std::optional<HttpProblem>& problem() const noexcept { return problem_; }
    const RequestHead& head() const noexcept { return head_; }

  private:
    enum class State : std::uint8_t { head, body, done, failed };

    std::size_t feed_head(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    std::size_t feed_chunks(std::string_view bytes);
    std::size_t skip_empty_line(std::size_t taken);
    void read_head(std::string_view text);
    std::optional<HttpProblem> check_head();
    void keep(std::string_view data);
    void fail(HttpProblem problem);

    const Limits limits_;
    State state_ = State::head;
    bool discards_ = false;
    bool has_skipped_line_ = false;
    std::optional<HttpProblem> problem_;
    std::string text_;  // of the head
    HeadScanner scanner_{HeadScanner::Kind::request};
    RequestHead head_;
    std::uint64_t left_ = 0;  // of a body with a length
    std::unique_ptr<ChunkedBody> chunks_;
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
    const std::size_t before = text_.size();
    // One byte over the limit is enough to see that it is passed.
    const std::size_t taken = std::min(bytes.size(), limits_.head_bytes_max + 1 - before);
    text_.append(bytes.substr(0, taken));
    if (text_.front() == '\r' && !has_skipped_line_) return skip_empty_line(taken);

    const HeadScan scan = scanner_.scan(text_);
    if (scan.state == HeadScan::State::bad) {
        fail(problem_of(400, scan.problem));
        return 0;
    }
    const bool is_complete = scan.state == HeadScan::State::complete;
    if ((is_complete ? scan.size : text_.size()) > limits_.head_bytes_max) {
        fail(problem_of(431, "the request head is too large"));
        return 0;
    }
    if (!is_complete) return taken;
    text_.resize(scan.size);
    read_head(text_);
    return scan.size - before;
}

/// Some clients send an empty line behind a body. One is ignored (RFC 9112 2.2).
std::size_t RequestParser::Impl::skip_empty_line(std::size_t taken) {
    if (text_.size() < 2) return taken;
    if (text_[1] != '\n') {
        fail(problem_of(400, "bare CR in the head"));
        return 0;
    }
    const std::size_t consumed = taken - (text_.size() - 2);
    text_.clear();
    has_skipped_line_ = true;
    return consumed;
}

void RequestParser::Impl::read_head(std::string_view text) {
    HeadViews views{.fields = head_.fields, .method = {}, .target = {}};
    const boost::system::error_code error = BeastHead<true>(views).read(text);
    if (error) {
        const bool is_version = error == boost::beast::http::error::bad_version;
        return fail(problem_of(is_version ? 505 : 400, describe_beast_error(error)));
    }
    head_.method = views.method;
    head_.target = views.target;
    head_.version = views.version;
    head_.keep_alive = wants_keep_alive(head_.fields, head_.version);
    if (const auto problem = check_head()) return fail(*problem);

    state_ = State::body;
    if (head_.is_chunked) {
        chunks_ = std::make_unique<ChunkedBody>(limits_.body_bytes_max);
    } else {
        left_ = head_.content_length.value_or(0);
        if (left_ == 0) state_ = State::done;
    }
}

std::optional<HttpProblem> RequestParser::Impl::check_head() {
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
    std::size_t consumed = 0;
    while (consumed < bytes.size() && !chunks_->is_done() && chunks_->message() == nullptr) {
        const ChunkedBody::Step step = chunks_->step(bytes.substr(consumed));
        keep(step.data);
        consumed += step.consumed;
    }
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
    body_ = {};
    chunks_.reset();
}

void RequestParser::Impl::next() {
    assert(is_done());
    state_ = State::head;
    discards_ = false;
    has_skipped_line_ = false;
    text_.clear();
    if (text_.capacity() > kept_head_bytes) text_ = {};
    std::vector<std::pair<std::string_view, std::string_view>> fields = std::move(head_.fields);
    fields.clear();
    if (fields.capacity() > kept_fields) fields = {};
    head_ = {};
    head_.fields = std::move(fields);
    scanner_ = HeadScanner(HeadScanner::Kind::request);
    chunks_.reset();
    body_ = {};
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
