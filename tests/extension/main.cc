// A program of somebody else: its own sink, composed with the library's parts.
#include <fanfare/broadcaster.h>
#include <fanfare/channel_sink.h>
#include <fanfare/config.h>
#include <fanfare/endpoint.h>
#include <fanfare/http_sink.h>
#include <fanfare/retry.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

namespace {

/// Refuses every event once, to see it come back, and prints it at the second attempt.
class PrintSink final : public fanfare::Sink {
  public:
    explicit PrintSink(int& printed) : printed_(printed) {}

    fanfare::awaitable<fanfare::Outcome> deliver(fanfare::Attempt attempt) override {
        if (attempt.number == 1) co_return fanfare::Outcome::retry(fanfare::Reason::connect);
        for (const fanfare::EventPtr& event : attempt.batch) {
            std::cout << event->seq() << ' ' << event->payload() << '\n';
            ++printed_;
        }
        co_return fanfare::Outcome::delivered();
    }

  private:
    int& printed_;
};

fanfare::awaitable<void> drain(fanfare::Broadcaster& broadcaster, fanfare::Clock& clock) {
    co_await broadcaster.drain(clock.now() + std::chrono::seconds(10));
}

}  // namespace

int main() {
    fanfare::SteadyClock clock;
    fanfare::Log log({.level = fanfare::LogLevel::error});
    boost::asio::io_context loop(1);
    fanfare::Shard shard(loop, clock, log);
    fanfare::Broadcaster broadcaster({&shard});
    fanfare::Channel channel(10);
    int printed = 0;

    fanfare::EndpointOptions print;
    print.name = "print";
    print.filter = std::make_unique<fanfare::IgnoreFilter>(std::vector<std::string>{},
                                                           std::vector<std::string>{"pull"});
    print.strategy = std::make_unique<fanfare::Breaker>(3, std::chrono::milliseconds(10));
    print.make_sink = [&printed](const fanfare::SinkContext&) {
        return std::make_unique<PrintSink>(printed);
    };
    broadcaster.add(std::make_shared<fanfare::Endpoint>(shard, std::move(print)));

    fanfare::EndpointOptions local;
    local.name = "local";
    local.make_sink = [&channel](const fanfare::SinkContext&) {
        return std::make_unique<fanfare::ChannelSink>(channel);
    };
    broadcaster.add(std::make_shared<fanfare::Endpoint>(shard, std::move(local)));

    for (const char* action : {"push", "pull", "delete"}) {
        const std::string payload = std::string(R"({"action":")") + action + R"("})";
        fanfare::EventFields fields;
        fields.id = action;
        fields.action = action;
        const std::shared_ptr<fanfare::Event> event = fanfare::Event::make(payload, fields);
        if (!broadcaster.write({&event, 1})) return 1;
    }
    boost::asio::co_spawn(loop, drain(broadcaster, clock), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    });
    loop.run();

    int received = 0;
    while (channel.try_receive()) ++received;
    const bool is_right = printed == 2 && received == 3;
    std::cout << (is_right ? "ok" : "wrong") << ": printed " << printed << ", received " << received
              << '\n';
    return is_right ? 0 : 1;
}
