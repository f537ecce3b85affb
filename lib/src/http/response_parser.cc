#include <algorithm>
#include <utility>

#include "http/chunked_body.h"
#include "http/field_values.h"
#include "http/head_reader.h"
#include "http/http_parser.h"

namespace fanfare {
namespace {

bool is_interim(int status) { return status < 200 && status != 101; }

bool has_no_body(int status) { return status == 101 || status == 204 || status == 304; }

}  // namespace

class ResponseParser::Impl {
  public:
    std::size_t feed(std::string_view bytes);
    void feed_eof();
    void reset();

    enum class State : std::uint8_t { head, body, done, too_long, failed };

    /// What begins anew with every answer.
    struct Answer {
        State state = State::head;
        bool has_begun = false;
        bool has_head = false;
        bool keep_alive = false;
        const char* problem = nullptr;
        int status = 0;
        std::size_t interim_bytes = 0;
        BodyFraming framing;
        std::uint64_t left = 0;  // of a body with a length; else how much more is read
    };

    Answer answer_;
    bool keep_body_ = false;
    std::size_t body_bytes_limit_ = body_bytes_max;
    HeadReader reader_{HeadScanner::Kind::response};
    FieldViews fields_;
    std::optional<ChunkedBody> chunks_;
    std::string body_;

  private:
    std::size_t feed_head(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    std::size_t feed_chunks(std::string_view bytes);
    void take_head();
    void begin_body();
    void keep(std::string_view data);
    void fail(const char* problem);
};

/// The memory that answers alike need is kept: an endpoint's answers are.
void ResponseParser::Impl::reset() {
    answer_ = {};
    reader_.clear();
    fields_.clear(HeadReader::fields_kept_max);
    chunks_.reset();
    body_.clear();
}

std::size_t ResponseParser::Impl::feed(std::string_view bytes) {
    if (bytes.empty()) return 0;
    std::size_t consumed = 0;
    while (answer_.state == State::head && consumed < bytes.size()) {
        answer_.has_begun = true;
        consumed += feed_head(bytes.substr(consumed));
    }
    if (answer_.state != State::body) return consumed;
    const std::string_view rest = bytes.substr(consumed);
    return consumed + (answer_.framing.is_chunked ? feed_chunks(rest) : feed_body(rest));
}

std::size_t ResponseParser::Impl::feed_head(std::string_view bytes) {
    const HeadReader::Step step = reader_.read(bytes, head_bytes_max - answer_.interim_bytes);
    switch (step.state) {
        case HeadReader::Step::State::incomplete:
            break;
        case HeadReader::Step::State::complete:
            take_head();
            break;
        case HeadReader::Step::State::too_large:
            fail("the head is too large");
            break;
        case HeadReader::Step::State::bad:
            fail(step.problem);
            break;
    }
    return step.consumed;
}

void ResponseParser::Impl::take_head() {
    reader_.list_fields(fields_);
    if (const char* problem = check_version(reader_.version())) return fail(problem);
    const ConnectionWish connection = read_connection(fields_);
    if (connection.problem != nullptr) return fail(connection.problem);
    if (reader_.status() < 100) return fail("the status is below 100");
    answer_.status = reader_.status();
    answer_.framing = read_body_framing(fields_, reader_.version());
    if (answer_.framing.problem != nullptr) return fail(answer_.framing.problem);

    if (is_interim(answer_.status)) {
        answer_.interim_bytes += reader_.size();
        reader_.clear();
        fields_.clear(HeadReader::fields_kept_max);
        return;
    }
    answer_.has_head = true;
    answer_.keep_alive = connection.can_stay_open(reader_.version()) && answer_.status != 101;
    begin_body();
}

void ResponseParser::Impl::begin_body() {
    const BodyFraming& framing = answer_.framing;
    answer_.state = State::body;
    if (has_no_body(answer_.status)) {
        // Some servers send one all the same; what they announce is not worth finding out.
        if (framing.is_chunked || framing.content_length.value_or(0) > 0) {
            answer_.keep_alive = false;
        }
        answer_.state = State::done;
    } else if (framing.content_length) {
        answer_.left = *framing.content_length;
        if (answer_.left == 0) answer_.state = State::done;
        if (answer_.left > body_bytes_limit_) answer_.state = State::too_long;
    } else if (framing.is_chunked) {
        chunks_.emplace(body_bytes_limit_);
    } else {
        answer_.keep_alive = false;  // the end of the connection is the end of the body
        answer_.left = body_bytes_limit_;
    }
}

std::size_t ResponseParser::Impl::feed_body(std::string_view bytes) {
    const std::string_view data = bytes.substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(answer_.left, bytes.size())));
    keep(data);
    answer_.left -= data.size();
    if (answer_.framing.content_length) {
        if (answer_.left == 0) answer_.state = State::done;
    } else if (data.size() < bytes.size()) {
        answer_.state = State::too_long;
    }
    return data.size();
}

std::size_t ResponseParser::Impl::feed_chunks(std::string_view bytes) {
    const std::size_t consumed =
        chunks_->feed(bytes, [this](std::string_view data) { keep(data); });
    if (chunks_->is_done()) answer_.state = State::done;
    if (chunks_->problem() == ChunkedBody::Problem::too_long) {
        answer_.state = State::too_long;
    } else if (chunks_->message() != nullptr) {
        fail(chunks_->message());
    }
    return consumed;
}

void ResponseParser::Impl::feed_eof() {
    switch (answer_.state) {
        case State::head:
            return fail("the connection ended before the end of the head");
        case State::body:
            if (answer_.framing.is_chunked || answer_.framing.content_length) {
                return fail("the connection ended before the end of the body");
            }
            answer_.state = State::done;
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
    answer_.problem = problem;
    answer_.state = State::failed;
}

ResponseParser::ResponseParser() : impl_(std::make_unique<Impl>()) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::reset() { impl_->reset(); }
std::size_t ResponseParser::feed(std::string_view bytes) { return impl_->feed(bytes); }
void ResponseParser::feed_eof() { impl_->feed_eof(); }
bool ResponseParser::has_begun() const noexcept { return impl_->answer_.has_begun; }
bool ResponseParser::has_head() const noexcept { return impl_->answer_.has_head; }
bool ResponseParser::is_done() const noexcept { return impl_->answer_.state == Impl::State::done; }
bool ResponseParser::is_too_long() const noexcept {
    return impl_->answer_.state == Impl::State::too_long;
}
const char* ResponseParser::problem() const noexcept { return impl_->answer_.problem; }
int ResponseParser::status() const noexcept { return impl_->answer_.status; }
bool ResponseParser::keep_alive() const noexcept {
    return impl_->answer_.state == Impl::State::done && impl_->answer_.keep_alive;
}
std::optional<std::string_view> ResponseParser::find(std::string_view name) const noexcept {
    return has_head() ? impl_->fields_.find(name) : std::nullopt;
}
const std::string& ResponseParser::body() const noexcept { return impl_->body_; }
std::string ResponseParser::take_body() noexcept { return std::exchange(impl_->body_, {}); }
void ResponseParser::keep_body(bool keep) noexcept { impl_->keep_body_ = keep; }
void ResponseParser::limit_body(std::size_t bytes_max) {
    impl_->body_bytes_limit_ = bytes_max;
    reset();
}

}  // namespace fanfare
