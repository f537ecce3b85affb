#include "server/parse_request.h"

#include <algorithm>
#include <utility>

#include "http/fields.h"
#include "http/media_type.h"
#include "server/cloudevents_binary.h"

namespace fanfare {
namespace {

/// How the events lie in a body.
enum class BodyForm : std::uint8_t {
    registry_v1,
    registry_v2,
    json,
    lines,
    cloudevent,
    cloudevents,
    cloudevent_binary,
};

/// By Content-Type, of which the first field counts; nothing if it is not one of SPEC 4's.
std::optional<BodyForm> form_of(const RequestHead& head) {
    const std::string_view type = media_type_of(head.find(FieldName::content_type).value_or(""));
    const auto is = [type](std::string_view known) {
        return type == known || equals_ignoring_case(type, known);
    };
    static constexpr std::string_view structured = "application/cloudevents";
    if (equals_ignoring_case(type.substr(0, structured.size()), structured)) {
        if (is("application/cloudevents-batch+json")) return BodyForm::cloudevents;
        if (is("application/cloudevents+json")) return BodyForm::cloudevent;
        // In another format, which must not be taken for data in binary form.
        return std::nullopt;
    }
    if (head.find(FieldName::ce_specversion)) return BodyForm::cloudevent_binary;
    if (is(media_type_text(MediaType::registry_v1))) return BodyForm::registry_v1;
    if (is(media_type_text(MediaType::registry_v2))) return BodyForm::registry_v2;
    if (type.empty() || is("application/json") || is("text/json")) return BodyForm::json;
    if (is("application/x-ndjson")) return BodyForm::lines;
    return std::nullopt;
}

MediaType event_type(BodyForm form) {
    switch (form) {
        case BodyForm::registry_v1:
            return MediaType::registry_v1;
        case BodyForm::registry_v2:
            return MediaType::registry_v2;
        case BodyForm::cloudevent:
        case BodyForm::cloudevents:
        case BodyForm::cloudevent_binary:
            return MediaType::cloudevents;
        case BodyForm::json:
        case BodyForm::lines:
            break;
    }
    return MediaType::json;
}

JsonLayout layout_of(BodyForm form) {
    switch (form) {
        case BodyForm::registry_v1:
        case BodyForm::registry_v2:
            return JsonLayout::envelope;
        case BodyForm::cloudevents:
            return JsonLayout::list;
        case BodyForm::lines:
        case BodyForm::cloudevent:
        case BodyForm::cloudevent_binary:
            return JsonLayout::single;
        case BodyForm::json:
            break;
    }
    return JsonLayout::any;
}

/// What makes a JSON object no CloudEvent, or nothing.
const char* cloudevent_problem(const EventView& event) {
    if (event.specversion.string() != "1.0") return "a CloudEvent needs `specversion` \"1.0\"";
    if (event.id.string().empty()) return "a CloudEvent needs an `id`, a string";
    if (event.source.string().empty()) return "a CloudEvent needs a `source`, a string";
    if (event.type.string().empty()) return "a CloudEvent needs a `type`, a string";
    if (event.data.is_there() && event.data_base64.is_there()) {
        return "a CloudEvent has `data` or `data_base64`, not both";
    }
    if (event.data_base64.is_there() && !event.data_base64.is_string()) {
        return "a CloudEvent's `data_base64` is a string";
    }
    return nullptr;
}

/// An id becomes part of JSON answers and log lines, so it has to be text.
std::optional<Refusal> refuse_ids(const RequestHead& head) {
    const auto is_text = [&head](FieldName name) { return is_utf8(head.find(name).value_or("")); };
    const char* problem = nullptr;
    if (!is_text(FieldName::idempotency_key)) problem = "`idempotency-key` is not valid UTF-8";
    if (!is_text(FieldName::webhook_id)) problem = "`webhook-id` is not valid UTF-8";
    if (problem == nullptr) return std::nullopt;
    return Refusal{400, "HEADER_INVALID", problem, {}};
}

Refusal unknown_media_type() {
    return {415,
            "MEDIA_TYPE_UNSUPPORTED",
            "events come as a registry's envelope, application/json, application/x-ndjson or "
            "CloudEvents",
            {}};
}

std::string_view trimmed_line(std::string_view line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

class Parser {
  public:
    Parser(const RequestHead& head, std::string& body, const ParseOptions& options)
        : head_(head), body_(body), options_(options) {}

    std::variant<ParsedRequest, Refusal> run() {
        const std::optional<BodyForm> form = form_of(head_);
        if (!form) return unknown_media_type();
        if (std::optional<Refusal> refusal = refuse_ids(head_)) return std::move(*refusal);
        form_ = *form;
        request_.type = event_type(form_);
        read_trace();
        // simdjson reads beyond the end of its text, up to json_padding bytes.
        if (body_.capacity() - body_.size() < json_padding) {
            body_.reserve(body_.size() + json_padding);
        }
        parse_body();
        if (refusal_) return std::move(*refusal_);
        give_ids();
        return std::move(request_);
    }

  private:
    void parse_body() {
        if (form_ == BodyForm::lines) return parse_lines();
        if (form_ != BodyForm::cloudevent_binary) return add_all(body_, 0);
        std::variant<StructuredCloudEvent, Refusal> made = structured_cloudevent(head_, body_);
        if (Refusal* const refusal = std::get_if<Refusal>(&made)) {
            refusal_ = std::move(*refusal);
            return;
        }
        StructuredCloudEvent& event = std::get<StructuredCloudEvent>(made);
        request_.identity_bytes = event.identity_bytes;
        add_all(request_.texts.emplace_front(std::move(event.text)), 0);
    }

    void parse_lines() {
        std::size_t begin = 0;
        while (begin < body_.size() && !refusal_) {
            ++line_;
            const std::size_t end = std::min(body_.find('\n', begin), body_.size());
            const std::string_view line =
                trimmed_line(std::string_view(body_).substr(begin, end - begin));
            const auto offset = static_cast<std::size_t>(line.data() - body_.data());
            if (!line.empty()) add_all(line, offset);
            begin = end + 1;
        }
    }

    /// `text` begins at `offset` of the body, or is an event that was put together.
    void add_all(std::string_view text, std::size_t offset) {
        text_ = text;
        text_offset_ = offset;
        const auto add = [this](const EventView& event) { return this->add(event); };
        const std::optional<JsonProblem> problem =
            visit_events(text, layout_of(form_), request_.texts, add);
        if (!problem || refusal_) return;
        refuse(form_ == BodyForm::cloudevent_binary ? problem_of_data(*problem) : *problem);
    }

    /// Where in the body it is that `problem` of an event in binary form lies. Its parts have been
    /// checked before they were put together, so it can only be too deep, by the level that holds
    /// the data.
    JsonProblem problem_of_data(const JsonProblem& problem) const {
        return check_json(body_, json_depth_max - 1).value_or(problem);
    }

    /// Whether to go on.
    bool add(const EventView& event) {
        if (request_.events.size() == options_.events_max) {
            const std::string limit = std::to_string(options_.events_max);
            refusal_ =
                Refusal{413, "TOO_MANY_EVENTS", "more than " + limit + " events in one request",
                        "{\"max_events\":" + limit + "}"};
            return false;
        }
        ParsedEvent parsed;
        if (request_.type == MediaType::cloudevents) {
            if (const char* const problem = cloudevent_problem(event)) {
                const auto offset = static_cast<std::size_t>(event.payload.data() - text_.data());
                refuse({offset, problem, request_.events.size()});
                return false;
            }
            parsed.fields.id = joined(event.source.text, " ", event.id.text);
        } else {
            parsed.fields.id = event.id.string();
        }
        parsed.payload = event.payload;
        parsed.fields.action = event.action.string();
        parsed.fields.target_media_type = event.target_media_type.string();
        parsed.fields.traceparent = traceparent_;
        parsed.fields.tracestate = tracestate_;
        request_.payload_bytes += event.payload.size();
        request_.events.push_back(parsed);
        return true;
    }

    std::string_view joined(std::string_view a, std::string_view between, std::string_view b) {
        std::string& text = request_.texts.emplace_front();
        text.reserve(a.size() + between.size() + b.size());
        return text.append(a).append(between).append(b);
    }

    /// The offset of `problem` counts from where the text begins that was given to add_all().
    void refuse(const JsonProblem& problem) {
        const std::string offset = std::to_string(text_offset_ + problem.offset);
        std::string message = problem.is_syntax ? "not valid JSON: " : "";
        message += problem.message;
        message += " (byte " + offset;
        std::string detail = "{\"offset\":" + offset;
        if (form_ == BodyForm::lines) {
            message += ", line " + std::to_string(line_);
            detail += ",\"line\":" + std::to_string(line_);
        }
        const bool is_one_by_one = layout_of(form_) == JsonLayout::single;
        const std::optional<std::size_t> index =
            is_one_by_one ? std::optional(request_.events.size()) : problem.index;
        if (index) {
            message += ", event " + std::to_string(*index);
            detail += ",\"index\":" + std::to_string(*index);
        }
        refusal_ = Refusal{400, "BODY_INVALID", message + ")", detail + "}"};
    }

    /// Without exactly one traceparent there is no trace, and no state of it (W3C Trace Context).
    void read_trace() {
        const auto traceparent = head_.find(FieldName::traceparent);
        if (!traceparent || head_.fields.has_many(FieldName::traceparent)) return;
        traceparent_ = *traceparent;
        if (!head_.fields.has_many(FieldName::tracestate)) {
            tracestate_ = head_.find(FieldName::tracestate).value_or("");
            return;
        }
        for (const Field& field : head_.fields) {
            if (field.known_name != FieldName::tracestate) continue;
            tracestate_ = tracestate_.empty() ? field.value : joined(tracestate_, ",", field.value);
        }
    }

    void give_ids() {
        if (request_.events.size() == 1 && request_.events.front().fields.id.empty()) {
            std::string_view& id = request_.events.front().fields.id;
            id = head_.find(FieldName::webhook_id).value_or("");
            if (id.empty()) id = head_.find(FieldName::idempotency_key).value_or("");
        }
        for (ParsedEvent& event : request_.events) {
            if (!event.fields.id.empty()) continue;
            event.fields.id = request_.texts.emplace_front(options_.ids.next());
            event.is_id_generated = true;
        }
    }

    const RequestHead& head_;
    std::string& body_;
    const ParseOptions& options_;
    BodyForm form_ = BodyForm::json;
    std::size_t line_ = 0;
    std::string_view text_;
    std::size_t text_offset_ = 0;
    std::string_view traceparent_;
    std::string_view tracestate_;
    ParsedRequest request_;
    std::optional<Refusal> refusal_;
};

}  // namespace

std::optional<Refusal> refuse_head(const RequestHead& head) {
    if (!form_of(head)) return unknown_media_type();
    return refuse_ids(head);
}

std::variant<ParsedRequest, Refusal> parse_request(const RequestHead& head, std::string& body,
                                                   const ParseOptions& options) {
    return Parser(head, body, options).run();
}

}  // namespace fanfare
