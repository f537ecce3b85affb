#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "fanfare/channel_sink.h"
#include "server/http_server.h"
#include "server/ingest.h"
#include "support/loops.h"
#include "support/raw_client.h"

namespace fanfare::test {

/// An ingest listener on loopback whose only endpoint hands the events to the test.
class IngestServer {
  public:
    struct Setup {
        IngestOptions ingest;
        std::size_t queue_bytes_max = 64 * 1024 * 1024;
        std::size_t channel_events_max = 100000;
        QueueBounds bounds = {};
        std::size_t shards = 1;
    };

    IngestServer() : IngestServer(Setup()) {}
    explicit IngestServer(Setup setup)
        : loops_(setup.shards),
          channel_(setup.channel_events_max),
          broadcaster_(loops_.shards()),
          budget_(setup.queue_bytes_max) {
        setup.ingest.listener.listen = {"127.0.0.1:0"};
        const IngestContext context{broadcaster_, budget_, loops_.clock(), loops_.log()};
        auto made = Ingest::make(setup.ingest, context);
        if (!made) throw std::runtime_error(made.error().message());
        ingest_ = std::move(*made);
        server_.emplace("ingest", loops_.shards(), setup.ingest.listener, *ingest_);
        const Result<void> bound = server_->bind();
        if (bound.has_error()) throw std::runtime_error(bound.error().message());
        add_endpoint(setup.bounds);
        server_->start();
        loops_.run();
    }

    ~IngestServer() {
        loops_.start(server_->stop(std::chrono::seconds(5))).wait();
        channel_.close();
        const TimePoint deadline = loops_.clock().now() + std::chrono::seconds(5);
        loops_.start(broadcaster_.drain(deadline)).wait();
        loops_.join();
    }

    RawClient connect() { return RawClient(server_->addresses().at(0)); }

    /// Posts `body` on a connection of its own.
    RawAnswer post(const std::string& body, const std::string& fields = "") {
        RawClient client = connect();
        client.send(request(body, fields));
        return client.read_answer();
    }

    static std::string request(const std::string& body, const std::string& fields = "") {
        return "POST /events HTTP/1.1\r\nHost: a\r\n" + fields +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    /// The next event at the endpoint; null if none comes in time.
    EventPtr receive() { return channel_.receive_for(std::chrono::seconds(30)).value_or(nullptr); }
    bool is_empty() { return !channel_.try_receive(); }

    Broadcaster& broadcaster() { return broadcaster_; }
    Budget& budget() { return budget_; }

  private:
    void add_endpoint(const QueueBounds& bounds) {
        EndpointOptions options;
        options.name = "channel";
        options.bounds = bounds;
        options.make_sink = [this](const SinkContext&) {
            return std::make_unique<ChannelSink>(channel_);
        };
        broadcaster_.add(std::make_shared<Endpoint>(*loops_.shards().front(), std::move(options)));
    }

    Loops loops_;
    Channel channel_;
    Broadcaster broadcaster_;
    Budget budget_;
    std::unique_ptr<Ingest> ingest_;
    std::optional<HttpServer> server_;
};

}  // namespace fanfare::test
