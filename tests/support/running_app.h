#pragma once

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app.h"
#include "support/running_server.h"

namespace fanfare::test {

/// An App with its first event loop on a thread of its own.
class RunningApp {
  public:
    explicit RunningApp(Config config) : app_(std::move(config), log_, Identity{}) { start(); }
    /// Follows its configuration's file.
    explicit RunningApp(Reloader::Start start_from) : app_(start_from.config, log_, Identity{}) {
        app_.follow(std::move(start_from));
        start();
    }
    ~RunningApp() { stop(); }

    void stop() {
        app_.stop();
        if (main_.joinable()) main_.join();
    }

    int post(const std::string& event) {
        return ask(app_.ingest_addresses(), post_text("/events", event)).status;
    }

    RawAnswer get(const std::string& target) {
        return ask(app_.admin_addresses(),
                   "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    RawAnswer reload() { return ask(app_.admin_addresses(), post_text("/-/reload", "")); }

    bool is_ready() { return get("/readyz").status == 200; }

    bool shows(const std::string& line) {
        return get("/metrics").body.find('\n' + line + '\n') != std::string::npos;
    }

    bool has_logged(const std::string& part) {
        const std::lock_guard lock(mutex_);
        return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }

    App& app() { return app_; }

  private:
    void start() {
        const Result<void> started = app_.start();
        if (started.has_error()) throw std::runtime_error(started.error().message());
        main_ = std::thread([this] { app_.run(); });
    }

    static std::string post_text(const std::string& target, const std::string& body) {
        return "POST " + target +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    static RawAnswer ask(const std::vector<std::string>& addresses, const std::string& request) {
        RawClient client(addresses.front());
        client.send(request);
        return client.read_answer();
    }

    std::mutex mutex_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) {
                 const std::lock_guard lock(mutex_);
                 lines_.emplace_back(line);
             }};
    App app_;
    std::thread main_;
};

}  // namespace fanfare::test
