// A program of somebody else's, with a sink of its own: only headers of fanfare/ are included.
// README.md shows the class below, word for word.
#include <fanfare/broadcaster.h>
#include <fanfare/sink.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <iostream>
#include <memory>

// [README]
/// Writes each event as one line. Until the stream takes it, Fanfare tries again.
class LineSink final : public fanfare::Sink {
  public:
    explicit LineSink(std::ostream& out) : out_(out) {}

    fanfare::awaitable<fanfare::Outcome> deliver(fanfare::Attempt attempt) override {
        for (const fanfare::EventPtr& event : attempt.batch) out_ << event->payload() << '\n';
        if (!out_.flush()) co_return fanfare::Outcome::retry(fanfare::Reason::reset);
        co_return fanfare::Outcome::delivered();
    }

  private:
    std::ostream& out_;
};

std::shared_ptr<fanfare::Endpoint> make_line_endpoint(fanfare::Shard& shard) {
    fanfare::EndpointOptions options;
    options.name = "lines";
    options.make_sink = [](const fanfare::SinkContext&) {
        return std::make_unique<LineSink>(std::cout);
    };
    return std::make_shared<fanfare::Endpoint>(shard, std::move(options));
}
// [/README]

int main() {
    boost::asio::io_context context{1};
    fanfare::SteadyClock clock;
    fanfare::Log log{fanfare::LogOptions{}};
    fanfare::Shard shard(context, clock, log);
    fanfare::Broadcaster broadcaster({&shard});
    broadcaster.add(make_line_endpoint(shard));

    fanfare::EventFields fields;
    fields.id = "first";
    const std::array events{fanfare::Event::make(R"({"id":"first","n":1.10})", fields),
                            fanfare::Event::make(R"({"id":"first","n":1e2})", fields)};
    broadcaster.write(events);

    const fanfare::TimePoint deadline = clock.now() + std::chrono::seconds(10);
    bool has_ended = false;
    const auto ended = [&has_ended](const std::exception_ptr& error) { has_ended = !error; };
    boost::asio::co_spawn(context, broadcaster.drain(deadline), ended);
    context.run();
    return has_ended ? 0 : 1;
}
