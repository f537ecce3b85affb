#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_shared_log.h"

namespace fanfare::test {

/// One process's way to the log.
class FakeLogLink final : public SharedLog {
  public:
    explicit FakeLogLink(FakeSharedLog& shared) : shared_(shared) {}
    ~FakeLogLink() override { cut_off(); }

    /// As if the process were dead: it hears nothing more, and nothing it says arrives.
    void cut_off() {
        *is_cut_off_ = true;
        for (const auto& fetcher : fetchers_) fetcher->is_cut_off = true;
        for (const auto& follower : followers_) follower->is_cut_off = true;
    }

    bool append(std::vector<LogEntry> entries, OnPublished on_published) override {
        if (*is_cut_off_) return true;
        return shared_.append(std::move(entries),
                              [is_cut_off = is_cut_off_, on_published = std::move(on_published)](
                                  Published published, std::vector<std::uint64_t> seqs) {
                                  if (!*is_cut_off) on_published(published, std::move(seqs));
                              });
    }

    std::unique_ptr<SharedConsumer> consumer(ConsumerOptions options) override {
        const auto fetcher = std::make_shared<FakeSharedLog::Fetcher>();
        fetcher->endpoint = options.endpoint;
        fetchers_.push_back(fetcher);
        return std::make_unique<Consumer>(*this, fetcher, std::move(options));
    }

    void follow(std::size_t records,
                std::function<void(const std::string& id, std::uint64_t next)> on_start,
                OnEntry on_entry) override {
        const auto follower = std::make_shared<FakeSharedLog::Follower>();
        follower->records = records;
        follower->on_start = std::move(on_start);
        follower->on_entry = std::move(on_entry);
        followers_.push_back(follower);
        shared_.follow(follower);
    }

    void places(std::function<void(std::optional<std::vector<std::string>>)> on_told) override {
        if (*is_cut_off_) return on_told(std::nullopt);
        std::vector<std::string> names;
        for (const auto& [name, parts] : shared_.places) names.push_back(name);
        on_told(std::move(names));
    }

    void forget(const std::string& endpoint, std::function<void(bool)> on_done) override {
        if (!*is_cut_off_) shared_.places.erase(endpoint);
        on_done(!*is_cut_off_);
    }

    SharedLogFigures figures() const override { return {}; }

    /// Of the consumers that it has made, the last for an endpoint.
    const FakeSharedLog::Fetcher& fetcher(const std::string& endpoint) const {
        for (auto it = fetchers_.rbegin(); it != fetchers_.rend(); ++it) {
            if ((*it)->endpoint == endpoint) return **it;
        }
        throw std::logic_error("no consumer for " + endpoint);
    }

  private:
    class Consumer final : public SharedConsumer {
      public:
        Consumer(FakeLogLink& link, std::shared_ptr<FakeSharedLog::Fetcher> fetcher,
                 ConsumerOptions options)
            : link_(link), fetcher_(std::move(fetcher)), options_(std::move(options)) {}
        ~Consumer() override { fetcher_->is_ended = true; }

        void start(OnDeliveries on_deliveries) override {
            fetcher_->on_deliveries = std::move(on_deliveries);
            log().open(options_);
            log().fetchers.push_back(fetcher_);
        }
        void allow(std::size_t deliveries) override {
            fetcher_->allowed += deliveries;
            fetcher_->allowed_max = std::max(fetcher_->allowed_max, fetcher_->allowed);
            if (!*link_.is_cut_off_) log().give_out();
        }
        void done(const std::string& token) override {
            if (!*link_.is_cut_off_) log().settle(options_.endpoint, token, std::nullopt);
        }
        void later(const std::string& token, Duration delay) override {
            if (!*link_.is_cut_off_) log().settle(options_.endpoint, token, delay);
        }
        void working(const std::string& token) override {
            if (!*link_.is_cut_off_) log().working(options_.endpoint, token);
        }
        Duration working_interval() const noexcept override {
            return FakeSharedLog::working_interval;
        }
        void purge(std::function<void(std::int64_t)> on_purged) override {
            const std::int64_t purged = *link_.is_cut_off_ ? -1 : log().purge(options_.endpoint);
            net::post(log().context, [on_purged, purged] { on_purged(purged); });
        }
        void change(ConsumerOptions options) override {
            options_ = std::move(options);
            log().change(options_);
        }
        ConsumerFigures figures() const override {
            return link_.shared_.figures(options_.endpoint);
        }

      private:
        FakeSharedLog& log() { return link_.shared_; }

        FakeLogLink& link_;
        const std::shared_ptr<FakeSharedLog::Fetcher> fetcher_;
        ConsumerOptions options_;
    };

    FakeSharedLog& shared_;
    std::vector<std::shared_ptr<FakeSharedLog::Fetcher>> fetchers_;
    std::vector<std::shared_ptr<FakeSharedLog::Follower>> followers_;
    const std::shared_ptr<bool> is_cut_off_ = std::make_shared<bool>(false);
};

}  // namespace fanfare::test
