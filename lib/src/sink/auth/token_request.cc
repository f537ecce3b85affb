#include "sink/auth/token_request.h"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/percent.h"
#include "http/exchange.h"
#include "http/fields.h"
#include "http/http_parser.h"
#include "http/retry_after.h"
#include "http/tunnel.h"
#include "sink/auth/token_error.h"
#include "sink/connection.h"

namespace fanfare {
namespace {

/// Longer ones are cut: nobody waits for their end.
constexpr std::int64_t life_seconds_max = std::int64_t{366} * 24 * 3600;

/// As in application/x-www-form-urlencoded (RFC 6749 appendix B).
std::string form_encoded(std::string_view text) {
    static constexpr std::string_view marks = "*-._";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
        if (is_plain) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            append_percent_escape(out, byte);
        }
    }
    return out;
}

TokenAnswer failed(Reason reason, error_code error) {
    TokenAnswer answer;
    answer.failure.reason = reason;
    answer.failure.error = error;
    return answer;
}

TokenAnswer refused(TokenProblem problem) {
    return failed(Reason::protocol, make_token_error(problem));
}

TokenAnswer refused_by_status(const ResponseParser& parser, WallTime now) {
    TokenAnswer answer = failed(Reason::protocol, make_token_error(parser.status()));
    const auto asked = parser.find("Retry-After");
    if (!asked) return answer;
    const std::string_view date = parser.find("Date").value_or(std::string_view());
    answer.failure.retry_after = parse_retry_after(*asked, date, now).value_or(Duration::zero());
    return answer;
}

/// Some write the number as a text.
std::optional<Duration> life_of(const nlohmann::json& answer) {
    const auto found = answer.find("expires_in");
    if (found == answer.end()) return std::nullopt;
    std::int64_t life_seconds = 0;
    if (found->is_string()) {
        const auto& text = found->get_ref<const std::string&>();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), life_seconds);
        if (read.ec != std::errc()) return std::nullopt;
    } else if (found->is_number()) {
        const double value = found->get<double>();
        life_seconds = value < double{life_seconds_max}
                           ? static_cast<std::int64_t>(std::max(value, 0.0))
                           : life_seconds_max;
    } else {
        return std::nullopt;
    }
    return std::chrono::seconds(std::clamp(life_seconds, std::int64_t{0}, life_seconds_max));
}

/// What became of an exchange, if it was not an answer.
TokenAnswer conclude_without_answer(const ExchangeEnd& end) {
    if (end.error == net::error::operation_aborted) return failed(Reason::none, end.error);
    if (!end.error) return refused(TokenProblem::no_http);  // so it was the parser that ended it
    const bool is_tls = end.error.category() == net::error::get_ssl_category();
    return failed(is_tls ? Reason::tls : Reason::reset, in_token_request(end.error));
}

}  // namespace

Result<TokenRequest> TokenRequest::make(const HttpSinkOptions& options, Resolver& resolver,
                                        Connector& connector) {
    HttpSinkOptions own = options;
    own.url = options.auth.token_url;
    own.headers.clear();
    own.timeout = std::max(options.timeout, timeout_min);
    own.connect_timeout = Duration::zero();
    own.auth = {};
    own.signing = {};
    own.tls = {};
    const std::string& own_ca_file = options.auth.ca_file;
    own.tls.ca_file = own_ca_file.empty() ? options.tls.ca_file : own_ca_file;
    own.tls.min_version = options.tls.min_version;
    Result<HttpPlan> plan = make_http_plan(std::move(own), resolver, connector);
    if (plan.has_error()) return Error("token_url: " + plan.error().message());
    return TokenRequest(options.auth, std::move(*plan));
}

void TokenRequest::make_body() {
    body_ = "grant_type=client_credentials";
    std::string scopes;
    for (const std::string& scope : auth_.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
    if (!scopes.empty()) body_ += "&scope=" + form_encoded(scopes);
    if (!auth_.audience.empty()) body_ += "&audience=" + form_encoded(auth_.audience);
}

std::string TokenRequest::render(const Secret& client_secret) const {
    const std::string client =
        form_encoded(auth_.client_id) + ":" + form_encoded(client_secret.reveal());
    std::string text = "POST " + plan_.url.target + " HTTP/1.1\r\n";
    const auto append = [&text](std::string_view name, std::string_view value) {
        text.append(name).append(": ").append(value).append("\r\n");
    };
    append("Host", plan_.url.host_header);
    append("User-Agent", "fanfare/" FANFARE_VERSION);
    append("Authorization", "Basic " + base64(client));
    append("Accept", "application/json");
    append("Content-Type", "application/x-www-form-urlencoded");
    append("Content-Length", std::to_string(body_.size()));
    append("Connection", "close");
    for (const auto& [name, value] : plan_.route.headers({})) append(name, value);
    return text + "\r\n" + body_;
}

awaitable<TokenAnswer> TokenRequest::send(const SinkContext& context,
                                          const Secret& client_secret) const {
    // What this connection counts is not the endpoint's.
    EndpointMetrics uncounted;
    const SinkContext own{context.executor, context.clock, context.deadlines, uncounted};
    Connection connection(plan_, own);
    Connection::Use use(connection);
    const Connection::Failure failure = co_await connection.open();
    if (failure.error == net::error::operation_aborted) {
        co_return failed(Reason::none, failure.error);
    }
    if (failure.error) co_return failed(failure.reason, in_token_request(failure.error));

    const std::string request = render(client_secret);
    const std::array<net::const_buffer, 1> buffers = {net::buffer(request)};
    ResponseParser parser;
    parser.keep_body(true);
    std::array<char, 4096> space;
    const ExchangeEnd end = co_await exchange(connection.stream(), buffers, parser, space);
    if (connection.is_timed_out() && !parser.is_done()) {
        const error_code timed_out = net::error::timed_out;
        co_return failed(Reason::timeout, in_token_request(timed_out));
    }
    if (parser.is_too_long()) co_return refused(TokenProblem::too_long);
    if (parser.has_head() && parser.status() == 407 && plan_.route.is_relayed) {
        co_return failed(Reason::connect, in_token_request(refused_by_proxy(parser.status())));
    }
    if (parser.has_head() && parser.status() != 200) {
        co_return refused_by_status(parser, context.clock.wall());
    }
    if (!parser.is_done()) co_return conclude_without_answer(end);
    co_return read(parser.body());
}

TokenAnswer TokenRequest::read(std::string_view body) {
    const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object()) return refused(TokenProblem::no_json);
    const auto type = json.find("token_type");
    const bool has_type = type != json.end() && !type->is_null();
    if (has_type && !(type->is_string() &&
                      equals_ignoring_case(type->get_ref<const std::string&>(), "bearer"))) {
        return refused(TokenProblem::no_bearer);
    }
    const auto text = json.find("access_token");
    if (text == json.end() || !text->is_string()) return refused(TokenProblem::no_token);
    const auto& token = text->get_ref<const std::string&>();
    if (token.empty() || token.size() > token_bytes_max || check_token(token).has_error()) {
        return refused(TokenProblem::no_token);
    }
    TokenAnswer answer;
    answer.token.emplace();
    answer.token->text = Secret(token);
    answer.token->life = life_of(json);
    return answer;
}

}  // namespace fanfare
