#include "server/admin/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "metrics/names.h"
#include "server/admin/go_status_text.h"
#include "server/admin/json_text.h"

namespace fanfare {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricType to_prometheus(metric::Type type) {
    switch (type) {
        case metric::Type::counter:
            return prometheus::MetricType::Counter;
        case metric::Type::gauge:
            return prometheus::MetricType::Gauge;
        case metric::Type::histogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

/// One metric with its series.
class Family {
  public:
    explicit Family(const metric::Definition& definition) {
        family_.name = definition.name;
        family_.help = definition.help;
        family_.type = to_prometheus(definition.type);
    }

    void add(double value, Labels labels = {}) {
        prometheus::ClientMetric& series = append(std::move(labels));
        series.counter.value = value;
        series.gauge.value = value;
    }

    void add(std::uint64_t value, Labels labels = {}) {
        add(static_cast<double>(value), std::move(labels));
    }

    void add(bool value, Labels labels = {}) { add(value ? 1.0 : 0.0, std::move(labels)); }

    template <const auto& bounds>
    void add(const BasicHistogram<bounds>& value, Labels labels = {}) {
        prometheus::ClientMetric::Histogram& histogram = append(std::move(labels)).histogram;
        histogram.sample_count = value.count();
        histogram.sample_sum = value.sum();
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < value.counts().size(); ++i) {
            cumulative += value.counts()[i];
            const bool is_last = i == bounds.size();
            prometheus::ClientMetric::Bucket bucket;
            bucket.cumulative_count = cumulative;
            bucket.upper_bound = is_last ? std::numeric_limits<double>::infinity() : bounds[i];
            histogram.bucket.push_back(bucket);
        }
    }

    void add(const StatusCounts& value, const Labels& labels = {}) {
        for (const auto& [code, count] : value.entries()) {
            Labels with_code = labels;
            with_code.push_back({"code", std::to_string(code)});
            add(count, std::move(with_code));
        }
    }

    prometheus::MetricFamily take() { return std::move(family_); }

  private:
    prometheus::ClientMetric& append(Labels labels) {
        prometheus::ClientMetric& series = family_.metric.emplace_back();
        series.label = std::move(labels);
        return series;
    }

    prometheus::MetricFamily family_;
};

using Families = std::vector<prometheus::MetricFamily>;

template <class Value>
void add_single(Families& families, const metric::Definition& definition, const Value& value) {
    Family family(definition);
    family.add(value);
    families.push_back(family.take());
}

void add_ingest(Families& families, const Scrape& scrape) {
    add_single(families, metric::ingest_requests, scrape.ingest.requests());
    add_single(families, metric::ingest_events, scrape.snapshot.ingested_events);
    add_single(families, metric::ingest_bytes, scrape.snapshot.ingested_bytes);
    add_single(families, metric::ingest_request_duration, scrape.ingest.request_duration());
    add_single(families, metric::ingest_connections, scrape.ingest.connections());
}

/// One series per endpoint, of what `get` takes out of its snapshot.
template <class Get>
void add_per_endpoint(Families& families, const metric::Definition& definition,
                      const Snapshot& snapshot, Get get) {
    Family family(definition);
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
        family.add(get(endpoint), {{"endpoint", endpoint.name}});
    }
    families.push_back(family.take());
}

void add_endpoint_queue(Families& families, const Snapshot& snapshot) {
    using E = const EndpointSnapshot&;
    const auto add = [&](const metric::Definition& definition, auto get) {
        add_per_endpoint(families, definition, snapshot, get);
    };
    add(metric::endpoint_events, [](E e) { return e.metrics.events(); });
    add(metric::endpoint_replayed, [](E e) { return e.metrics.replayed_events(); });
    add(metric::endpoint_meta, [](E e) { return e.metrics.meta_events(); });
    add(metric::endpoint_restored, [](E e) { return e.metrics.restored_events(); });
    add(metric::endpoint_ignored, [](E e) { return e.metrics.ignored_events(); });
    add(metric::endpoint_pending_events, [](E e) { return e.pending_events; });
    add(metric::endpoint_pending_bytes, [](E e) { return e.pending_bytes; });
    add(metric::endpoint_in_flight, [](E e) { return e.in_flight_requests; });
    add(metric::endpoint_oldest_pending, [](E e) { return to_seconds(e.oldest_pending); });
}

void add_endpoint_reasons(Families& families, const Snapshot& snapshot) {
    Family errors(metric::endpoint_errors);
    Family dropped(metric::endpoint_dropped);
    Family dead_letters(metric::endpoint_dead_letters);
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
        const auto labels = [&](auto reason) {
            return Labels{{"endpoint", endpoint.name}, {"reason", std::string(to_string(reason))}};
        };
        for (const Reason reason : EndpointMetrics::error_reasons) {
            errors.add(endpoint.metrics.errors(reason), labels(reason));
        }
        for (std::size_t i = 0; i < drop_reasons; ++i) {
            const auto reason = static_cast<DropReason>(i);
            dropped.add(endpoint.metrics.dropped_events(reason), labels(reason));
        }
        for (std::size_t i = 0; i < dead_reasons; ++i) {
            const auto reason = static_cast<DeadReason>(i);
            dead_letters.add(endpoint.metrics.dead_letters(reason), labels(reason));
        }
    }
    families.push_back(errors.take());
    families.push_back(dropped.take());
    families.push_back(dead_letters.take());
}

void add_endpoint_deliveries(Families& families, const Snapshot& snapshot) {
    using E = const EndpointSnapshot&;
    const auto add = [&](const metric::Definition& definition, auto get) {
        add_per_endpoint(families, definition, snapshot, get);
    };
    add(metric::endpoint_successes, [](E e) { return e.metrics.successes(); });
    add(metric::endpoint_failures, [](E e) { return e.metrics.failures(); });
    add(metric::endpoint_responses, [](E e) { return e.metrics.responses(); });
    add(metric::endpoint_retries, [](E e) { return e.metrics.retries(); });
    add(metric::endpoint_breaker_open, [](E e) { return e.is_breaker_open; });
    add(metric::endpoint_paused,
        [](E e) { return e.is_paused || e.is_gone || e.pause_left > Duration::zero(); });
    add(metric::endpoint_up, [](E e) { return e.is_up; });
    add(metric::endpoint_connections_opened, [](E e) { return e.metrics.connections_opened(); });
    add(metric::endpoint_request_duration, [](E e) { return e.metrics.request_duration(); });
    add(metric::endpoint_delivery_latency, [](E e) { return e.metrics.delivery_latency(); });
}

void add_dead_letters(Families& families, const DeadLetterCounts& counts) {
    add_single(families, metric::dead_letters_stored, counts.stored);
    Family lost(metric::dead_letters_lost);
    for (std::size_t i = 0; i < lost_reasons; ++i) {
        const auto reason = static_cast<LostReason>(i);
        lost.add(counts.lost[i], {{"reason", std::string(to_string(reason))}});
    }
    families.push_back(lost.take());
    add_single(families, metric::dead_letters_replayed, counts.replayed);
    add_single(families, metric::dead_letters_purged, counts.purged);
    add_single(families, metric::dead_letters_kept_events, counts.kept.letters);
    add_single(families, metric::dead_letters_kept_bytes, counts.kept.bytes);
}

void add_store(Families& families, const JournalCounts& counts) {
    add_single(families, metric::store_commits, counts.commits);
    add_single(families, metric::store_full_commits, counts.full_commits);
    add_single(families, metric::store_commit_duration, counts.commit_duration);
    add_single(families, metric::store_commit_events, counts.commit_events);
    add_single(families, metric::store_events, counts.store.events);
    add_single(families, metric::store_file_bytes, counts.store.file_bytes);
    add_single(families, metric::store_free_bytes, counts.store.free_bytes);
    add_single(families, metric::store_disk_available_bytes, counts.store.disk_available_bytes);
    add_single(families, metric::store_wal_bytes, counts.store.wal_bytes);
    add_single(families, metric::store_max_bytes, counts.store.bytes_max);
    add_single(families, metric::store_full, counts.is_full);
    add_single(families, metric::store_damaged_events, counts.store.damaged_events);
    add_single(families, metric::store_forgotten_events, counts.store.forgotten_events);
    add_single(families, metric::store_moved_aside, counts.store.moved_aside);
}

void add_fleet(Families& families, const FleetScrape& fleet, const Snapshot& snapshot) {
    add_single(families, metric::fleet_connected, fleet.log.is_connected);
    add_single(families, metric::fleet_connects, fleet.log.connects);
    add_single(families, metric::fleet_replicas, fleet.replicas);
    add_single(families, metric::fleet_config_mismatch, fleet.mismatches);
    add_single(families, metric::fleet_events, fleet.log.events);
    add_single(families, metric::fleet_bytes, fleet.log.bytes);
    add_single(families, metric::fleet_published, fleet.log.published);
    add_single(families, metric::fleet_duplicates, fleet.log.duplicates);
    add_single(families, metric::fleet_failed, fleet.log.failed);
    add_single(families, metric::fleet_waiting, fleet.log.waiting);
    add_single(families, metric::fleet_publish_duration, fleet.log.publish_duration);
    add_per_endpoint(families, metric::endpoint_redelivered, snapshot,
                     [](const EndpointSnapshot& e) {
                         return e.shared ? e.shared->redelivered : std::uint64_t{0};
                     });
}

void add_history(Families& families, const HistoryCounts& counts) {
    add_single(families, metric::history_events, counts.events);
    add_single(families, metric::history_bytes, counts.bytes);
    add_single(families, metric::history_lowest, counts.range.lowest);
    add_single(families, metric::history_next, counts.range.next);
    Family evicted(metric::history_evicted);
    evicted.add(counts.evicted_by_count, {{"reason", "count"}});
    evicted.add(counts.evicted_by_bytes, {{"reason", "bytes"}});
    evicted.add(counts.evicted_by_resize, {{"reason", "resize"}});
    evicted.add(counts.evicted_by_restart, {{"reason", "restart"}});
    families.push_back(evicted.take());
    add_single(families, metric::history_truncated, counts.truncated);
}

/// One series per value of an enumeration that counts from 0.
template <class Kind, std::size_t Size>
void add_kinds(Families& families, const metric::Definition& definition,
               const std::array<std::uint64_t, Size>& counts) {
    Family family(definition);
    for (std::size_t i = 0; i < Size; ++i) {
        const std::string kind(to_string(static_cast<Kind>(i)));
        family.add(counts[i], {{std::string(definition.labels), kind}});
    }
    families.push_back(family.take());
}

void add_streams(Families& families, const StreamCounts& counts) {
    add_single(families, metric::streams_active, counts.active);
    add_kinds<StreamFormat>(families, metric::streams_opened, counts.opened);
    add_kinds<StreamEnd>(families, metric::streams_closed, counts.closed);
    add_kinds<StreamRefusal>(families, metric::streams_rejected, counts.rejected);
    add_single(families, metric::stream_events_sent, counts.events_sent);
    add_kinds<GapReason>(families, metric::stream_gaps, counts.gaps);
    add_single(families, metric::stream_lag, counts.lag_max);
}

void add_requests(Families& families, const RequestCounts& counts) {
    Family family(metric::http_requests);
    for (const auto& [what, count] : counts) {
        family.add(count,
                   {{"path", std::string(what.first)}, {"code", std::to_string(what.second)}});
    }
    families.push_back(family.take());
}

/// Only of endpoints that send batches, as the others have nothing to tell.
void add_endpoint_batches(Families& families, const Snapshot& snapshot) {
    Family batches(metric::endpoint_batches);
    Family events(metric::endpoint_batch_events);
    Family wait(metric::endpoint_batch_wait);
    Family splits(metric::endpoint_batch_splits);
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
        const std::optional<BatchMetrics>& counted = endpoint.metrics.batches();
        if (!counted) continue;
        const Labels labels = {{"endpoint", endpoint.name}};
        batches.add(counted->events.count(), labels);
        events.add(counted->events, labels);
        wait.add(counted->wait, labels);
        splits.add(counted->splits, labels);
    }
    for (Family* family : {&batches, &events, &wait, &splits}) {
        prometheus::MetricFamily made = family->take();
        if (!made.metric.empty()) families.push_back(std::move(made));
    }
}

double seconds_since_epoch(WallTime time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_config(Families& families, const ReloadCounts& counts) {
    Family reloads(metric::config_reloads);
    for (std::size_t i = 0; i < reload_results; ++i) {
        const std::string_view result = to_string(static_cast<ReloadResult>(i));
        reloads.add(counts.results[i], {{"result", std::string(result)}});
    }
    families.push_back(reloads.take());
    add_single(families, metric::config_last_reload_success, counts.is_last_good);
    add_single(families, metric::config_last_reload_timestamp,
               seconds_since_epoch(counts.loaded_at));
    Family info(metric::config_info);
    info.add(true, {{"hash", counts.hash}});
    families.push_back(info.take());
}

void add_build(Families& families, const BuildInfo& build) {
    Family info(metric::build_info);
    info.add(true,
             {{"version", build.version}, {"commit", build.commit}, {"compiler", build.compiler}});
    families.push_back(info.take());
}

void add_process(Families& families, const ProcessFacts& process) {
    add_single(families, metric::process_cpu, process.cpu_seconds);
    add_single(families, metric::process_resident_memory, process.resident_bytes);
    add_single(families, metric::process_virtual_memory, process.virtual_bytes);
    add_single(families, metric::process_open_fds, process.open_fds);
    add_single(families, metric::process_max_fds, process.fds_max);
    add_single(families, metric::process_start_time, process.start_time_seconds);
    add_single(families, metric::process_threads, process.threads);
}

void add_registry(Families& families, const Snapshot& snapshot) {
    Family events(metric::registry_events);
    Family status(metric::registry_status);
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
        const EndpointMetrics& metrics = endpoint.metrics;
        const auto add = [&](const char* type, std::uint64_t count) {
            events.add(count, {{"type", type}, {"endpoint", endpoint.name}});
        };
        add("Events", metrics.events());
        add("Successes", metrics.successes());
        add("Failures", metrics.failures());
        add("Errors", metrics.errors());
        for (const auto& [code, count] : metrics.responses().entries()) {
            status.add(count, {{"code", go_status(code)}, {"endpoint", endpoint.name}});
        }
    }
    families.push_back(events.take());
    add_per_endpoint(families, metric::registry_pending, snapshot,
                     [](const EndpointSnapshot& e) { return e.pending_events; });
    families.push_back(status.take());
}

}  // namespace

std::string_view to_string(ReloadResult result) noexcept {
    switch (result) {
        case ReloadResult::ok:
            return "ok";
        case ReloadResult::rejected:
            return "rejected";
        case ReloadResult::noop:
            return "noop";
    }
    return "unknown";
}

std::string exposition(const Scrape& scrape) {
    Families families;
    add_ingest(families, scrape);
    add_endpoint_queue(families, scrape.snapshot);
    add_endpoint_deliveries(families, scrape.snapshot);
    add_endpoint_reasons(families, scrape.snapshot);
    add_endpoint_batches(families, scrape.snapshot);
    add_dead_letters(families, scrape.dead_letters);
    add_store(families, scrape.journal);
    if (scrape.fleet) add_fleet(families, *scrape.fleet, scrape.snapshot);
    add_history(families, scrape.history);
    add_streams(families, scrape.streams);
    add_requests(families, scrape.requests);
    add_config(families, scrape.reloads);
    add_build(families, scrape.build);
    add_process(families, scrape.process);
    if (scrape.with_registry_metrics) add_registry(families, scrape.snapshot);
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace fanfare
