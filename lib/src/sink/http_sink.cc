#include "fanfare/http_sink.h"

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>

#include "http/connector.h"
#include "http/exchange.h"
#include "http/http_parser.h"
#include "http/resolver.h"
#include "http/retry_after.h"
#include "http/tunnel.h"
#include "sink/connection.h"
#include "sink/http_plan.h"
#include "sink/request_credentials.h"

namespace fanfare {
namespace {

constexpr int unauthorized = 401;
constexpr int proxy_unauthorized = 407;

using PlanPtr = std::shared_ptr<const HttpPlan>;

/// What identifies a batch in `webhook-id`: the same on every attempt (SPEC 6).
std::string batch_id(Batch batch, const std::string& instance) {
    if (batch.size() == 1) return header_id(batch.front()->id());
    return instance + "-" + std::to_string(batch.front()->seq()) + "-" +
           std::to_string(batch.back()->seq());
}

std::int64_t whole_seconds_since_epoch(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// One POST per attempt over one kept-alive connection (SPEC 6). Everything it needs for a
/// request is used again for the next: the head's text, the body's buffers, the parser.
class HttpSink final : public Sink {
  public:
    HttpSink(PlanPtr plan, const SinkContext& context)
        : plan_(std::move(plan)),
          clock_(context.clock),
          connection_(*plan_, context),
          credentials_(*plan_, context) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        if (!credentials_.are_renewable()) return post(attempt);
        return deliver_renewing(attempt);
    }

  private:
    /// With a token that may have to be asked for first, and once more if it is refused.
    awaitable<Outcome> deliver_renewing(Attempt attempt) {
        const TokenFailure failure = co_await credentials_.renew_if_due();
        if (failure.error) co_return conclude({failure.reason, failure.error});
        const unsigned version = credentials_.version();
        const Outcome outcome = co_await post_with_token(attempt);
        const bool is_refused =
            outcome.verdict() != Verdict::delivered && outcome.http_status() == unauthorized;
        if (!is_refused) co_return outcome;
        const TokenFailure ended = co_await credentials_.replace(version);
        if (ended.error == net::error::operation_aborted) co_return Outcome::aborted();
        // Without another token the answer counts as it is.
        if (credentials_.version() == version) co_return outcome;
        const Outcome second = co_await post_with_token(attempt);
        co_return second;
    }

    awaitable<Outcome> post_with_token(Attempt attempt) {
        const unsigned version = credentials_.version();
        const Outcome outcome = co_await post(attempt);
        if (outcome.verdict() == Verdict::delivered) credentials_.accepted(version);
        co_return outcome;
    }

    /// Gives up what a large body has taken, when the request has ended.
    class Rendered {
      public:
        explicit Rendered(Body& body) : body_(body) {}
        ~Rendered() { body_.clear(); }
        Rendered(const Rendered&) = delete;
        Rendered& operator=(const Rendered&) = delete;

      private:
        Body& body_;
    };

    awaitable<Outcome> post(Attempt attempt) {
        const Rendered rendered(body_);
        const error_code unfit = render(attempt.batch);
        if (unfit) co_return Outcome::reject(Reason::exception, 0, unfit);
        prepare(attempt);
        Connection::Use use(connection_);
        if (use.is_reusable()) {
            const ExchangeEnd end =
                co_await exchange(connection_.stream(), body_.request(), parser_, read_buffer_);
            if (!was_closed_before(end)) co_return conclude(end, use);
            // The receiver gave the idle connection up while we began to use it: nobody's fault.
        }
        const Connection::Failure failure = co_await connection_.open();
        if (failure.error) co_return conclude(failure);
        const ExchangeEnd end =
            co_await exchange(connection_.stream(), body_.request(), parser_, read_buffer_);
        co_return conclude(end, use);
    }

    /// Why the events cannot take the endpoint's form, if they cannot.
    error_code render(Batch batch) {
        body_.clear();
        try {
            plan_->format->render(batch, body_);
        } catch (const boost::system::system_error& error) {
            return error.code();
        }
        return {};
    }

    /// The head, which is about the body.
    void prepare(const Attempt& attempt) {
        const Event& first = *attempt.batch.front();
        const std::string id = batch_id(attempt.batch, plan_->options.instance);
        HeadFacts facts;
        facts.content_type = body_.content_type;
        facts.content_length = body_.size_bytes();
        facts.webhook_id = id;
        facts.timestamp_seconds = whole_seconds_since_epoch(clock_.wall());
        facts.attempt = attempt.number;
        facts.traceparent = first.traceparent();
        facts.tracestate = first.tracestate();
        facts.more_lines = body_.head_lines;
        facts.credentials = credentials_.render({id, facts.timestamp_seconds, body_.buffers()});
        plan_->head.render(facts, head_);
        body_.request().front() = net::const_buffer(head_.data(), head_.size());
    }

    bool was_closed_before(const ExchangeEnd& end) const {
        return end.error && end.error != net::error::operation_aborted && !parser_.has_begun() &&
               !connection_.is_timed_out();
    }

    Outcome conclude(const Connection::Failure& failure) const {
        if (failure.error == net::error::operation_aborted) return Outcome::aborted();
        return Outcome::retry(failure.reason, failure.error);
    }

    Outcome conclude(const ExchangeEnd& end, Connection::Use& use) const {
        if (end.is_reusable) use.keep();
        // Whatever became of the body: the receiver has decided.
        if (parser_.has_head()) return conclude_answer();
        if (connection_.is_timed_out()) {
            return Outcome::retry(Reason::timeout, net::error::timed_out);
        }
        if (!end.error) {  // so it was the parser that ended it
            return Outcome::retry(Reason::protocol,
                                  make_error_code(boost::system::errc::protocol_error));
        }
        if (end.error == net::error::operation_aborted) return Outcome::aborted();
        const bool is_tls = end.error.category() == net::error::get_ssl_category();
        return Outcome::retry(is_tls ? Reason::tls : Reason::reset, end.error);
    }

    Outcome conclude_answer() const {
        const bool is_of_proxy = plan_->route.is_relayed && parser_.status() == proxy_unauthorized;
        // The receiver has not seen the request, so it is nothing that its answers decide about.
        if (is_of_proxy) {
            return Outcome::retry(Reason::connect, refused_by_proxy(proxy_unauthorized));
        }
        const Outcome outcome = classify(parser_.status(), plan_->options.success);
        if (outcome.verdict() == Verdict::delivered) return outcome;
        const auto asked = parser_.find("Retry-After");
        if (!asked) return outcome;
        const std::string_view date = parser_.find("Date").value_or(std::string_view());
        const Duration wait =
            parse_retry_after(*asked, date, clock_.wall()).value_or(Duration::zero());
        return Outcome::refused(parser_.status(), wait);
    }

    const PlanPtr plan_;
    Clock& clock_;
    Connection connection_;
    RequestCredentials credentials_;
    ResponseParser parser_;
    std::string head_;
    Body body_;
    std::array<char, 4096> read_buffer_;
};

}  // namespace

std::shared_ptr<Resolver> make_resolver(Clock& clock) {
    return std::make_shared<ThreadedResolver>(clock, ThreadedResolver::Options{});
}

std::shared_ptr<Connector> make_connector() { return std::make_shared<TcpConnector>(); }

Result<SinkMaker> make_http_sink_maker(HttpSinkOptions options, Resolver& resolver,
                                       Connector& connector, Log* log) {
    Result<HttpPlan> plan = make_http_plan(std::move(options), resolver, connector);
    if (plan.has_error()) return plan.error();
    const Result<void> added = add_credentials(*plan, connector, log);
    if (added.has_error()) return added.error();
    const PlanPtr shared = std::make_shared<const HttpPlan>(std::move(*plan));
    return SinkMaker([shared](const SinkContext& context) -> std::unique_ptr<Sink> {
        return std::make_unique<HttpSink>(shared, context);
    });
}

}  // namespace fanfare
