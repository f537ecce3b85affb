#include "sink/connection.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace fanfare {
namespace {

Duration connect_timeout_of(const HttpSinkOptions& options) {
    const bool is_set = options.connect_timeout > Duration::zero();
    return is_set ? std::min(options.connect_timeout, options.timeout) : options.timeout;
}

/// Passes cancellation of a coroutine, if it can be cancelled, on to a signal, until destroyed.
class Forwarding {
  public:
    Forwarding(net::cancellation_slot from, net::cancellation_signal& to) : from_(from) {
        if (!from_.is_connected()) return;
        from_.assign([&to](net::cancellation_type type) { to.emit(type); });
    }
    ~Forwarding() {
        if (from_.is_connected()) from_.clear();
    }
    Forwarding(const Forwarding&) = delete;
    Forwarding& operator=(const Forwarding&) = delete;

  private:
    net::cancellation_slot from_;
};

/// Runs `operation` so that `signal` as well as the caller's own cancellation ends it; it is then
/// an error operation_aborted, never an exception.
awaitable<Connected> run_cancellable(awaitable<Connected> operation,
                                     net::cancellation_signal& signal) {
    const Executor executor = co_await net::this_coro::executor;
    const net::cancellation_state own = co_await net::this_coro::cancellation_state;
    const Forwarding forwarding(own.slot(), signal);
    Connected connected;
    try {
        connected =
            co_await net::co_spawn(executor, std::move(operation),
                                   net::bind_cancellation_slot(signal.slot(), net::use_awaitable));
    } catch (const boost::system::system_error& error) {
        if (error.code() != net::error::operation_aborted) throw;
        connected.error = error.code();
    }
    co_return connected;
}

Connected not_connected(Reason reason, error_code error) {
    Connected connected;
    connected.reason = reason;
    connected.error = error;
    return connected;
}

/// What a name resolves to, without the addresses that nothing may connect to.
struct Candidates {
    std::vector<net::ip::address> allowed;
    error_code refusal;  ///< of the last one that is left out
};

Candidates sort_out(const Resolved& resolved, const Connector& connector) {
    Candidates candidates;
    for (const net::ip::address& address : resolved.addresses) {
        const error_code refusal = connector.refusal(address);
        if (refusal) {
            candidates.refusal = refusal;
        } else {
            candidates.allowed.push_back(address);
        }
    }
    return candidates;
}

}  // namespace

Connection::Connection(const HttpPlan& plan, const SinkContext& context)
    : plan_(plan),
      clock_(context.clock),
      metrics_(context.metrics),
      tls_listener_{context.log, context.endpoint},
      attempt_times_(context.deadlines.of(plan.options.timeout)),
      connect_times_(context.deadlines.of(connect_timeout_of(plan.options))),
      idle_times_(context.deadlines.of(plan.options.idle_timeout)),
      attempt_timeout_([this] { run_out(); }),
      connect_timeout_([this] { run_out(); }),
      idle_timeout_([this] { stream_.reset(); }) {}

Connection::Use::Use(Connection& connection)
    : connection_(connection), began_(connection.clock_.now()) {
    connection_.is_timed_out_ = false;
    connection_.idle_timeout_.disarm();
    connection_.attempt_times_.arm(connection_.attempt_timeout_, began_);
}

Connection::Use::~Use() {
    connection_.attempt_timeout_.disarm();
    if (is_kept_ && !connection_.is_timed_out_) {
        connection_.idle_times_.arm(connection_.idle_timeout_);
    } else {
        connection_.stream_.reset();
    }
}

void Connection::run_out() {
    is_timed_out_ = true;
    if (stream_) {
        stream_->close();
    } else {
        connecting_.emit(net::cancellation_type::terminal);
    }
}

bool Connection::Use::is_reusable() {
    Connection& kept = connection_;
    if (!kept.stream_) return false;
    const bool is_young = began_ - kept.opened_ < kept.plan_.options.connection_age_max;
    if (is_young && !kept.stream_->is_stale()) return true;
    kept.stream_.reset();
    return false;
}

awaitable<Connection::Failure> Connection::open() {
    stream_.reset();
    connect_deadline_ = clock_.now() + connect_times_.length();
    connect_times_.arm(connect_timeout_);
    awaitable<Connected> operation = connect_any();
    Connected connected = co_await run_cancellable(std::move(operation), connecting_);
    connect_timeout_.disarm();

    Failure failure;
    if (is_timed_out_) {
        failure.reason = Reason::timeout;
        failure.error = net::error::timed_out;
    } else if (connected.error) {
        failure.reason = connected.reason;
        failure.error = connected.error;
    } else {
        stream_ = std::move(connected.stream);
        opened_ = clock_.now();
        metrics_.connection_opened();
    }
    co_return failure;
}

ConnectTarget Connection::target_at(const net::ip::address& address) const {
    const Route& route = plan_.route;
    ConnectTarget target;
    target.address = address;
    target.port = route.port;
    target.tunnel = route.tunnel;
    if (route.tls) target.tls = route.tls->current(clock_.now(), tls_listener_);
    target.server_name = route.server_name;
    return target;
}

/// Tries the receiver's addresses in turn, as they are resolved now.
awaitable<Connected> Connection::connect_any() {
    const Route& route = plan_.route;
    if (route.refusal) co_return not_connected(Reason::blocked, route.refusal);
    const Resolved resolved = co_await plan_.resolver.resolve(route.host);
    if (resolved.error) co_return not_connected(Reason::dns, resolved.error);
    const Candidates candidates = sort_out(resolved, *route.connector);
    if (candidates.allowed.empty()) co_return not_connected(Reason::blocked, candidates.refusal);

    Connected connected;
    std::size_t left = candidates.allowed.size();
    for (const net::ip::address& address : candidates.allowed) {
        ConnectTarget target = target_at(address);
        if (left == 1) {
            connected = co_await route.connector->connect(std::move(target));
            break;
        }
        // A silent address may use up its share of the time only.
        const TimePoint now = clock_.now();
        const TimePoint deadline = now + (connect_deadline_ - now) / left;
        connected = co_await connect_within(std::move(target), deadline);
        const bool is_next_better =
            connected.reason == Reason::connect || connected.reason == Reason::timeout;
        if (!is_next_better || connected.error == net::error::operation_aborted) break;
        --left;
    }
    if (route.is_relayed && connected.reason == Reason::connect) {
        connected.error = of_proxy(connected.error);
    }
    co_return connected;
}

awaitable<Connected> Connection::connect_within(ConnectTarget target, TimePoint deadline) {
    net::cancellation_signal overdue;
    bool is_overdue = false;
    const Executor executor = co_await net::this_coro::executor;
    const std::unique_ptr<Alarm> alarm = clock_.make_alarm(executor);
    alarm->set(deadline, [&overdue, &is_overdue] {
        is_overdue = true;
        overdue.emit(net::cancellation_type::terminal);
    });
    awaitable<Connected> operation = plan_.route.connector->connect(std::move(target));
    Connected connected = co_await run_cancellable(std::move(operation), overdue);
    if (connected.error == net::error::operation_aborted && is_overdue) {
        connected.reason = Reason::timeout;
        connected.error = net::error::timed_out;
    }
    co_return connected;
}

}  // namespace fanfare
