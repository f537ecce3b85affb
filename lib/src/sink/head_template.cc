#include "sink/head_template.h"

#include <algorithm>
#include <charconv>

#include "http/field_values.h"
#include "http/fields.h"

namespace fanfare {
namespace {

constexpr std::array<std::string_view, 4> framing_names = {"Host", "Content-Length",
                                                           "Transfer-Encoding", "Connection"};

bool is_framing(std::string_view name) {
    return std::any_of(framing_names.begin(), framing_names.end(), [&](std::string_view framing) {
        return equals_ignoring_case(framing, name);
    });
}

bool is_field_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
    });
}

bool has(const HeadTemplate::Headers& headers, std::string_view name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
        return equals_ignoring_case(header.first, name);
    });
}

void append_line(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
}

/// Decimal text of a number, on the stack.
class Digits {
  public:
    template <class Integer>
    explicit Digits(Integer value) {
        end_ = std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr;
    }
    std::string_view view() const {
        return {text_.data(), static_cast<std::size_t>(end_ - text_.data())};
    }

  private:
    std::array<char, 24> text_;
    char* end_;
};

Result<void> check(const HeadTemplate::Headers& configured) {
    for (const auto& [name, value] : configured) {
        const std::string quoted = "header \"" + name + "\" ";
        if (!is_token(name)) return Error(quoted + "has a name that HTTP does not allow");
        if (is_framing(name)) return Error(quoted + "cannot be configured");
        if (!is_field_value(value)) return Error(quoted + "has a control character in its value");
    }
    return {};
}

}  // namespace

Result<HeadTemplate> HeadTemplate::make(const Url& url, const Headers& configured) {
    const Result<void> checked = check(configured);
    if (checked.has_error()) return checked.error();

    HeadTemplate made;
    made.opening_ = "POST " + url.target + " HTTP/1.1\r\n";
    append_line(made.opening_, "Host", url.host_header);
    if (!has(configured, "User-Agent")) {
        append_line(made.opening_, "User-Agent", "fanfare/" FANFARE_VERSION);
    }
    if (!url.authorization.empty() && !has(configured, "Authorization")) {
        append_line(made.opening_, "Authorization", url.authorization);
    }
    for (std::size_t field = 0; field < defaults; ++field) {
        made.is_replaced_[field] = has(configured, default_names[field]);
    }
    for (const auto& [name, value] : configured) append_line(made.closing_, name, value);
    made.closing_ += "\r\n";
    return made;
}

void HeadTemplate::append(std::string& head, Default field, std::string_view value) const {
    if (!is_replaced_[field]) append_line(head, default_names[field], value);
}

void HeadTemplate::render(const HeadFacts& facts, std::string& head) const {
    head.assign(opening_);
    if (!facts.content_type.empty()) append(head, content_type, facts.content_type);
    append_line(head, "Content-Length", Digits(facts.content_length).view());
    append(head, webhook_id, facts.webhook_id);
    append(head, webhook_timestamp, Digits(facts.timestamp_seconds).view());
    append(head, attempt, Digits(facts.attempt).view());
    // They come from the ingest request or from a user of the library: one more look.
    if (!facts.traceparent.empty() && is_field_value(facts.traceparent)) {
        append(head, traceparent, facts.traceparent);
    }
    if (!facts.tracestate.empty() && is_field_value(facts.tracestate)) {
        append(head, tracestate, facts.tracestate);
    }
    if (!facts.more_lines.empty()) head.append(facts.more_lines);
    if (!facts.credentials.empty()) head.append(facts.credentials);
    head.append(closing_);
}

}  // namespace fanfare
