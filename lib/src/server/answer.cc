#include "server/answer.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace fanfare {
namespace {

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Status";
    }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

std::string quoted(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string_view code_of(const HttpProblem& problem, bool has_head) {
    switch (problem.status) {
        case 411:
            return "LENGTH_REQUIRED";
        case 413:
            return "TOO_LARGE";
        case 417:
            return "EXPECTATION_UNKNOWN";
        case 431:
            return "HEAD_TOO_LARGE";
        case 501:
            return "TRANSFER_CODING_UNKNOWN";
        case 505:
            return "VERSION_UNSUPPORTED";
        default:
            return has_head ? "BODY_INVALID" : "HEAD_INVALID";
    }
}

}  // namespace

std::string_view DateText::at(WallTime now) {
    using namespace std::chrono;
    static constexpr std::array<const char*, 7> weekdays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = floor<std::chrono::seconds>(now);
    if (seconds.time_since_epoch().count() == second_) return text_;

    second_ = seconds.time_since_epoch().count();
    const auto day = floor<days>(seconds);
    const year_month_day date(day);
    const hh_mm_ss<std::chrono::seconds> time(seconds - day);
    std::array<char, 64> buffer{};
    const int size = std::snprintf(
        buffer.data(), buffer.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
        weekdays[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
        months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    text_.assign(buffer.data(), static_cast<std::size_t>(size));
    return text_;
}

bool can_have_body(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

void render_answer_head(const Response& response, const AnswerForm& form, std::string& out) {
    out = "HTTP/1.1 ";
    out += std::to_string(response.status);
    out += ' ';
    out += reason_phrase(response.status);
    out += "\r\nServer: fanfare\r\n";
    append_field(out, "Date", form.date);
    if (form.is_streamed) {
        append_field(out, "Content-Type", response.content_type);
        // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
        if (form.version >= 11) append_field(out, "Transfer-Encoding", "chunked");
    } else if (can_have_body(response.status)) {
        if (!response.body.empty()) append_field(out, "Content-Type", response.content_type);
        append_field(out, "Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.headers) append_field(out, name, value);
    if (!form.keep_alive) {
        out += "Connection: close\r\n";
    } else if (form.version < 11) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
}

Response error_response(int status, std::string_view code, std::string_view message,
                        std::string_view detail) {
    Response response;
    response.status = status;
    response.body = R"({"errors":[{"code":)" + quoted(code) + R"(,"message":)" + quoted(message);
    if (!detail.empty()) {
        response.body += R"(,"detail":)";
        response.body += detail;
    }
    response.body += "}]}";
    return response;
}

Response problem_response(const HttpProblem& problem, bool has_head) {
    return error_response(problem.status, code_of(problem, has_head), problem.message);
}

Response timeout_response() {
    return error_response(408, "TIMEOUT", "the request did not come in time");
}

Response too_many_connections_response() {
    Response response =
        error_response(503, "TOO_MANY_CONNECTIONS", "as many connections as there may be are open");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

Response connect_response(std::string_view allowed_methods) {
    Response response = error_response(405, "METHOD_NOT_ALLOWED", "this is not a proxy");
    response.headers.emplace_back("Allow", allowed_methods);
    return response;
}

Response internal_error_response() {
    return error_response(500, "INTERNAL", "the request could not be carried out");
}

Response out_of_memory_response() {
    Response response = error_response(503, "UNAVAILABLE", "out of memory");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

}  // namespace fanfare
