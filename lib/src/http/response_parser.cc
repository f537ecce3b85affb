#include <algorithm>

#include "http/beast_head.h"
#include "http/chunked_body.h"
#include "http/http_parser.h"

namespace fanfare {
namespace {

bool has_no_body(int status) { return status == 101 || status == 204 || status == 304; }

}  // namespace

class ResponseParser::Impl {
  public:
    std::size_t feed(std::string_view bytes);
    void feed_eof();

    enum class State : std::uint8_t { head, body, done, too_long, failed };

    State state_ = State::head;
    bool keep_body_ = false;
    std::size_t body_bytes_limit_ = body_bytes_max;
    bool has_begun_ = false;
    bool has_head_ = false;
    bool keep_alive_ = false;
    const char* problem_ = nullptr;
    int status_ = 0;
    std::string text_;  // of the head
    std::size_t interim_bytes_ = 0;
    HeadScanner scanner_{HeadScanner::Kind::response};
    FieldViews fields_;
    BodyFraming framing_;
    std::uint64_t left_ = 0;  // of a body with a length; else how much more is read
    ChunkedBody chunks_{body_bytes_max};
    std::string body_;

  private:
    std::size_t feed_head(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    std::size_t feed_chunks(std::string_view bytes);
    void read_head();
    void begin_body(int version);
    void keep(std::string_view data);
    void fail(const char* problem);
};

std::size_t ResponseParser::Impl::feed(std::string_view bytes) {
    if (bytes.empty()) return 0;
    std::size_t consumed = 0;
    while (state_ == State::head && consumed < bytes.size()) {
        has_begun_ = true;
        consumed += feed_head(bytes.substr(consumed));
    }
    if (state_ != State::body) return consumed;
    const std::string_view rest = bytes.substr(consumed);
    return consumed + (framing_.is_chunked ? feed_chunks(rest) : feed_body(rest));
}

std::size_t ResponseParser::Impl::feed_head(std::string_view bytes) {
    const std::size_t before = text_.size();
    const std::size_t room = head_bytes_max - interim_bytes_;
    const std::size_t taken = std::min(bytes.size(), room + 1 - before);
    text_.append(bytes.substr(0, taken));

    const HeadScan scan = scanner_.scan(text_);
    if (scan.state == HeadScan::State::bad) {
        fail(scan.problem);
        return 0;
    }
    const bool is_complete = scan.state == HeadScan::State::complete;
    if ((is_complete ? scan.size : text_.size()) > room) {
        fail("the head is too large");
        return 0;
    }
    if (!is_complete) return taken;
    text_.resize(scan.size);
    read_head();
    return scan.size - before;
}

void ResponseParser::Impl::read_head() {
    fields_.clear();
    HeadViews views{.fields = fields_, .method = {}, .target = {}};
    const boost::system::error_code error = BeastHead<false>(views).read(text_);
    if (error) return fail(describe_beast_error(error));
    if (views.status < 100) return fail("the status is below 100");

    status_ = views.status;
    if (status_ < 200 && status_ != 101) {
        interim_bytes_ += text_.size();
        text_.clear();
        fields_.clear();
        scanner_ = HeadScanner(HeadScanner::Kind::response);
        return;
    }
    framing_ = read_body_framing(fields_, views.version);
    if (framing_.problem != nullptr) return fail(framing_.problem);
    has_head_ = true;
    begin_body(views.version);
}

void ResponseParser::Impl::begin_body(int version) {
    keep_alive_ = wants_keep_alive(fields_, version) && status_ != 101;
    state_ = State::body;
    if (has_no_body(status_)) {
        // Some servers send one all the same; what they announce is not worth finding out.
        if (framing_.is_chunked || framing_.content_length.value_or(0) > 0) keep_alive_ = false;
        state_ = State::done;
    } else if (framing_.content_length) {
        left_ = *framing_.content_length;
        if (left_ == 0) state_ = State::done;
        if (left_ > body_bytes_limit_) state_ = State::too_long;
    } else if (!framing_.is_chunked) {
        keep_alive_ = false;  // the end of the connection is the end of the body
        left_ = body_bytes_limit_;
    }
}

std::size_t ResponseParser::Impl::feed_body(std::string_view bytes) {
    const std::string_view data =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    keep(data);
    left_ -= data.size();
    if (framing_.content_length) {
        if (left_ == 0) state_ = State::done;
    } else if (data.size() < bytes.size()) {
        state_ = State::too_long;
    }
    return data.size();
}

std::size_t ResponseParser::Impl::feed_chunks(std::string_view bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size() && !chunks_.is_done() && chunks_.message() == nullptr) {
        const ChunkedBody::Step step = chunks_.step(bytes.substr(consumed));
        keep(step.data);
        consumed += step.consumed;
    }
    if (chunks_.is_done()) state_ = State::done;
    if (chunks_.problem() == ChunkedBody::Problem::too_long) {
        state_ = State::too_long;
    } else if (chunks_.message() != nullptr) {
        fail(chunks_.message());
    }
    return consumed;
}

void ResponseParser::Impl::feed_eof() {
    switch (state_) {
        case State::head:
            return fail("the connection ended before the end of the head");
        case State::body:
            if (framing_.is_chunked || framing_.content_length) {
                return fail("the connection ended before the end of the body");
            }
            state_ = State::done;
            return;
        case State::done:
        case State::too_long:
        case State::failed:
            return;
    }
}

void ResponseParser::Impl::keep(std::string_view data) {
    if (keep_body_) body_.append(data);
}

void ResponseParser::Impl::fail(const char* problem) {
    problem_ = problem;
    state_ = State::failed;
}

ResponseParser::ResponseParser() : impl_(std::make_unique<Impl>()) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::reset() {
    Impl fresh;
    fresh.keep_body_ = impl_->keep_body_;
    fresh.body_bytes_limit_ = impl_->body_bytes_limit_;
    fresh.chunks_ = ChunkedBody(fresh.body_bytes_limit_);
    // The capacity is kept: an endpoint's answers are alike.
    fresh.text_ = std::move(impl_->text_);
    fresh.text_.clear();
    fresh.fields_ = std::move(impl_->fields_);
    fresh.fields_.clear();
    *impl_ = std::move(fresh);
}

std::size_t ResponseParser::feed(std::string_view bytes) { return impl_->feed(bytes); }
void ResponseParser::feed_eof() { impl_->feed_eof(); }
bool ResponseParser::has_begun() const noexcept { return impl_->has_begun_; }
bool ResponseParser::has_head() const noexcept { return impl_->has_head_; }
bool ResponseParser::is_done() const noexcept { return impl_->state_ == Impl::State::done; }
bool ResponseParser::is_too_long() const noexcept { return impl_->state_ == Impl::State::too_long; }
const char* ResponseParser::problem() const noexcept { return impl_->problem_; }
int ResponseParser::status() const noexcept { return impl_->status_; }
bool ResponseParser::keep_alive() const noexcept {
    return impl_->state_ == Impl::State::done && impl_->keep_alive_;
}
std::optional<std::string_view> ResponseParser::find(std::string_view name) const noexcept {
    return has_head() ? find_field(impl_->fields_, name) : std::nullopt;
}
const std::string& ResponseParser::body() const noexcept { return impl_->body_; }
void ResponseParser::keep_body(bool keep) noexcept { impl_->keep_body_ = keep; }
void ResponseParser::limit_body(std::size_t bytes_max) {
    impl_->body_bytes_limit_ = bytes_max;
    reset();
}

}  // namespace fanfare
