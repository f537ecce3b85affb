#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fleet/shared_log.h"
#include "support/manual_clock.h"

namespace fanfare::test {

/// A log in memory that several processes share, which all turn in one loop. What it is told it
/// knows at once; what it tells comes by the loop. Each process has a FakeLogLink (fake_log_link.h)
/// of its own.
class FakeSharedLog {
  public:
    static constexpr Duration silence_max = std::chrono::seconds(10);
    static constexpr Duration working_interval = std::chrono::seconds(3);

    FakeSharedLog(ManualClock& manual, net::io_context& loop)
        : clock(manual), context(loop), alarm_(manual.make_alarm(loop.get_executor())) {}

    /// What answers are given to appends in place of storing; nothing: they are stored.
    enum class Trouble { none, full, unavailable, stored_but_silent, never_answers, overloaded };
    Trouble trouble = Trouble::none;
    std::size_t event_bytes_max = SIZE_MAX;
    bool loses_settles = false;  ///< done() and later() do not arrive
    bool loses_working = false;
    /// Which partition an event is in; without it all are in one.
    std::function<unsigned(const Event&)> partition_of;

    struct Stored {
        std::string payload;
        std::string id, action;
        MediaType type = MediaType::json;
        WallTime accepted_at{};
        EventSource source = EventSource::http;
        std::string endpoint;
        unsigned partition = 0;
        bool is_damaged = false;
    };
    std::map<std::uint64_t, Stored> entries;  ///< by seq
    std::uint64_t last_seq = 0;

    /// One partition of an endpoint's place, or all of it.
    struct Place {
        struct Given {
            unsigned deliveries = 1;
            std::optional<TimePoint> until;  ///< with somebody until then
            TimePoint again{};               ///< else: to be given out again from then on
        };
        std::optional<unsigned> partition;
        unsigned in_flight_max = 1;
        std::uint64_t next = 1;  ///< all before has been given out
        std::map<std::uint64_t, Given> given;
        std::vector<std::uint64_t> done;  ///< in this order
    };
    struct Fetcher {
        std::string endpoint;
        SharedConsumer::OnDeliveries on_deliveries;
        std::size_t allowed = 0;
        std::size_t allowed_max = 0;  ///< the highest it has been
        bool is_cut_off = false;
        bool is_ended = false;
    };
    std::map<std::string, std::vector<Place>> places;  ///< by endpoint
    std::vector<std::shared_ptr<Fetcher>> fetchers;    ///< take turns

    struct Follower {
        std::size_t records = 0;
        std::function<void(const std::string&, std::uint64_t)> on_start;
        SharedLog::OnEntry on_entry;
        bool is_cut_off = false;
    };
    std::vector<std::shared_ptr<Follower>> followers;
    std::string id = "log-1";

    /// Another log is in its place, with nothing in it.
    void replace(const std::string& new_id) {
        id = new_id;
        entries.clear();
        keys_.clear();
        last_seq = 0;
        for (auto& [name, parts] : places) {
            for (Place& place : parts) {
                place.next = 1;
                place.given.clear();
            }
        }
        for (const auto& follower : followers) begin(follower);
    }

    bool append(std::vector<LogEntry> added, const SharedLog::OnPublished& on_published) {
        if (trouble == Trouble::overloaded) return false;
        if (trouble == Trouble::never_answers) return true;
        const auto answer = [&](Published published, std::vector<std::uint64_t> seqs) {
            net::post(context, [on_published, published, seqs] { on_published(published, seqs); });
            return true;
        };
        if (trouble == Trouble::full) return answer(Published::full, {});
        if (trouble == Trouble::unavailable) return answer(Published::unavailable, {});
        std::vector<std::uint64_t> seqs;
        for (const LogEntry& entry : added) {
            if (entry.event->payload().size() > event_bytes_max) {
                return answer(Published::refused, {});
            }
            seqs.push_back(store(entry));
        }
        give_out();
        if (trouble == Trouble::stored_but_silent) return answer(Published::unavailable, {});
        return answer(Published::stored, std::move(seqs));
    }

    void open(const ConsumerOptions& options) {
        std::vector<Place>& parts = places[options.endpoint];
        if (!parts.empty()) return;
        parts.resize(options.is_partitioned ? log_partitions : 1);
        for (unsigned i = 0; i < parts.size(); ++i) {
            parts[i].next = last_seq + 1;
            if (options.is_partitioned) parts[i].partition = i;
        }
        change(options);
    }

    void change(const ConsumerOptions& options) {
        for (Place& place : places[options.endpoint]) {
            place.in_flight_max = options.is_partitioned ? 1 : options.in_flight_max;
        }
        give_out();
    }

    void follow(const std::shared_ptr<Follower>& follower) {
        followers.push_back(follower);
        begin(follower);
    }

    void settle(const std::string& endpoint, const std::string& token,
                std::optional<Duration> delay) {
        const std::optional<std::uint64_t> seq = seq_of(token);
        if (loses_settles || !seq) return;
        for (Place& place : places[endpoint]) {
            const auto found = place.given.find(*seq);
            if (found == place.given.end()) continue;
            if (delay) {
                found->second.until.reset();
                found->second.again = clock.now() + *delay;
            } else {
                place.given.erase(found);
                place.done.push_back(*seq);
            }
        }
        give_out();
    }

    void working(const std::string& endpoint, const std::string& token) {
        const std::optional<std::uint64_t> seq = seq_of(token);
        if (loses_working || !seq) return;
        for (Place& place : places[endpoint]) {
            const auto found = place.given.find(*seq);
            if (found != place.given.end() && found->second.until) {
                found->second.until = clock.now() + silence_max;
            }
        }
        look_again();
    }

    /// Of one log only: in another one the same number is another event's.
    std::string token_of(std::uint64_t seq) const { return std::to_string(seq) + " " + id; }
    std::optional<std::uint64_t> seq_of(const std::string& token) const {
        const std::uint64_t seq = std::stoull(token);
        return token == token_of(seq) ? std::optional(seq) : std::nullopt;
    }

    std::int64_t purge(const std::string& endpoint) {
        const auto pending = static_cast<std::int64_t>(figures(endpoint).pending);
        for (Place& place : places[endpoint]) {
            place.given.clear();
            place.next = last_seq + 1;
        }
        return pending;
    }

    ConsumerFigures figures(const std::string& endpoint) const {
        ConsumerFigures figures;
        figures.is_known = true;
        const auto found = places.find(endpoint);
        if (found == places.end()) return figures;
        for (const Place& place : found->second) add(place, figures);
        return figures;
    }

    /// All that may be given out now.
    void give_out() {
        for (auto& [endpoint, parts] : places) {
            for (Place& place : parts) {
                while (give_one(endpoint, place)) continue;
            }
        }
        look_again();
    }

    ManualClock& clock;
    net::io_context& context;

  private:
    std::uint64_t store(const LogEntry& entry) {
        const std::string key =
            entry.dedup_key.empty() ? std::string(entry.event->id()) : entry.dedup_key;
        const auto [found, is_new] = keys_.try_emplace(key, last_seq + 1);
        if (!is_new) return found->second;
        Stored stored;
        stored.payload = entry.event->payload();
        stored.id = entry.event->id();
        stored.action = entry.event->action();
        stored.type = entry.event->type();
        stored.accepted_at = entry.accepted_at;
        stored.source = entry.source;
        stored.endpoint = entry.endpoint;
        if (partition_of) stored.partition = partition_of(*entry.event);
        entries[++last_seq] = std::move(stored);
        for (const auto& follower : followers) tell(follower, last_seq);
        return last_seq;
    }

    LogEntry entry_of(const Stored& stored) const {
        LogEntry entry;
        EventFields fields;
        fields.id = stored.id;
        fields.action = stored.action;
        if (!stored.is_damaged) entry.event = Event::make(stored.payload, fields, stored.type);
        entry.accepted_at = stored.accepted_at;
        entry.source = stored.source;
        entry.endpoint = stored.endpoint;
        return entry;
    }

    void begin(const std::shared_ptr<Follower>& follower) {
        std::uint64_t first = last_seq + 1;
        auto it = entries.end();
        for (std::size_t i = 0; i < follower->records && it != entries.begin(); ++i) {
            first = (--it)->first;
        }
        net::post(context, [follower, log_id = id, first] {
            if (!follower->is_cut_off) follower->on_start(log_id, first);
        });
        for (; it != entries.end(); ++it) tell(follower, it->first);
    }

    void tell(const std::shared_ptr<Follower>& follower, std::uint64_t seq) {
        const LogEntry entry = entry_of(entries.at(seq));
        net::post(context, [follower, seq, entry] {
            if (!follower->is_cut_off) follower->on_entry(seq, entry);
        });
    }

    static bool is_in(const Place& place, const Stored& stored) {
        return !place.partition || *place.partition == stored.partition;
    }

    void add(const Place& place, ConsumerFigures& figures) const {
        const auto count = [&](const Stored& stored) {
            ++figures.pending;
            const bool is_older = figures.oldest_accepted_at == WallTime() ||
                                  stored.accepted_at < figures.oldest_accepted_at;
            if (is_older) figures.oldest_accepted_at = stored.accepted_at;
        };
        for (const auto& [seq, given] : place.given) {
            if (entries.contains(seq)) count(entries.at(seq));
            ++figures.with_others;
            if (given.deliveries > 1) ++figures.redelivered;
        }
        for (auto it = entries.lower_bound(place.next); it != entries.end(); ++it) {
            if (is_in(place, it->second)) count(it->second);
        }
    }

    /// The next process that has asked for something, in turns.
    std::shared_ptr<Fetcher> next_fetcher(const std::string& endpoint) {
        for (std::size_t i = 0; i < fetchers.size(); ++i) {
            const auto fetcher = fetchers[++turn_ % fetchers.size()];
            const bool is_there = !fetcher->is_cut_off && !fetcher->is_ended;
            if (is_there && fetcher->endpoint == endpoint && fetcher->allowed > 0) return fetcher;
        }
        return nullptr;
    }

    bool give_one(const std::string& endpoint, Place& place) {
        const TimePoint now = clock.now();
        for (auto& [seq, given] : place.given) {
            const bool is_silent = given.until && *given.until <= now;
            const bool is_due = !given.until && given.again <= now;
            if (!is_silent && !is_due) continue;
            const auto fetcher = next_fetcher(endpoint);
            if (!fetcher) return false;
            ++given.deliveries;
            hand(*fetcher, fetcher, seq, given);
            return true;
        }
        if (place.given.size() >= place.in_flight_max) return false;
        auto next = entries.lower_bound(place.next);
        while (next != entries.end() && !is_in(place, next->second)) ++next;
        if (next == entries.end()) return false;
        const auto fetcher = next_fetcher(endpoint);
        if (!fetcher) return false;
        place.next = next->first + 1;
        hand(*fetcher, fetcher, next->first, place.given[next->first]);
        return true;
    }

    void hand(Fetcher& to, const std::shared_ptr<Fetcher>& fetcher, std::uint64_t seq,
              Place::Given& given) {
        --to.allowed;
        given.until = clock.now() + silence_max;
        Delivery delivery;
        delivery.entry = entry_of(entries.at(seq));
        delivery.seq = seq;
        delivery.deliveries = given.deliveries;
        delivery.token = token_of(seq);
        net::post(context, [fetcher, delivery] {
            const bool is_there = !fetcher->is_cut_off && !fetcher->is_ended;
            if (is_there) fetcher->on_deliveries({delivery});
        });
    }

    /// When something falls due.
    void look_again() {
        TimePoint due = TimePoint::max();
        for (const auto& [endpoint, parts] : places) {
            for (const Place& place : parts) {
                for (const auto& [seq, given] : place.given) {
                    const TimePoint at = given.until.value_or(given.again);
                    if (at > clock.now()) due = std::min(due, at);
                }
            }
        }
        if (due == TimePoint::max()) return alarm_->clear();
        alarm_->set(due, [this] { give_out(); });
    }

    std::map<std::string, std::uint64_t> keys_;
    std::size_t turn_ = 0;
    std::unique_ptr<Alarm> alarm_;
};

}  // namespace fanfare::test
