#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// Every metric there is: name, help text, type and labels, in one table. lib/doc/metrics.md and
/// tests/golden/metrics.txt are held against it by tests.
namespace fanfare::metric {

enum class Type : std::uint8_t { counter, gauge, histogram };

struct Definition {
    std::string_view name;
    Type type;
    std::string_view labels;  ///< comma-separated, empty for none
    std::string_view help;    ///< one line: prometheus-cpp does not escape it
};

inline constexpr Definition ingest_requests{
    "fanfare_ingest_requests_total", Type::counter, "code",
    "Requests answered by the ingest listener, by HTTP status."};
inline constexpr Definition ingest_events{"fanfare_ingest_events_total", Type::counter, "",
                                          "Events accepted."};
inline constexpr Definition ingest_bytes{"fanfare_ingest_bytes_total", Type::counter, "",
                                         "Payload bytes of the events accepted."};
inline constexpr Definition ingest_request_duration{
    "fanfare_ingest_request_duration_seconds", Type::histogram, "",
    "Time from the first byte of a request to its answer."};
inline constexpr Definition ingest_connections{"fanfare_ingest_connections", Type::gauge, "",
                                               "Open connections of the ingest listener."};

inline constexpr Definition endpoint_events{"fanfare_endpoint_events_total", Type::counter,
                                            "endpoint", "Events that entered the queue."};
inline constexpr Definition endpoint_ignored{"fanfare_endpoint_ignored_events_total", Type::counter,
                                             "endpoint",
                                             "Events that the filter kept from the queue."};
inline constexpr Definition endpoint_replayed{
    "fanfare_endpoint_replayed_events_total", Type::counter, "endpoint",
    "Events that entered the queue once more after they had been given up."};
inline constexpr Definition endpoint_meta{"fanfare_endpoint_meta_events_total", Type::counter,
                                          "endpoint",
                                          "Events of Fanfare's own that entered the queue."};
inline constexpr Definition endpoint_restored{
    "fanfare_endpoint_restored_events_total", Type::counter, "endpoint",
    "Events that were pending in the durable queue when it was opened."};
inline constexpr Definition endpoint_pending_events{
    "fanfare_endpoint_pending_events", Type::gauge, "endpoint",
    "Events accepted and not yet delivered or given up, with those in flight."};
inline constexpr Definition endpoint_pending_bytes{"fanfare_endpoint_pending_bytes", Type::gauge,
                                                   "endpoint",
                                                   "Payload bytes of the pending events."};
inline constexpr Definition endpoint_in_flight{"fanfare_endpoint_in_flight_requests", Type::gauge,
                                               "endpoint", "Attempts under way."};
inline constexpr Definition endpoint_oldest_pending{
    "fanfare_endpoint_oldest_pending_seconds", Type::gauge, "endpoint",
    "Age of the oldest pending event, 0 if there is none."};
inline constexpr Definition endpoint_successes{"fanfare_endpoint_successes_total", Type::counter,
                                               "endpoint", "Events delivered."};
inline constexpr Definition endpoint_failures{
    "fanfare_endpoint_failures_total", Type::counter, "endpoint",
    "Attempts answered with a status that is not accepted."};
inline constexpr Definition endpoint_errors{"fanfare_endpoint_errors_total", Type::counter,
                                            "endpoint,reason", "Attempts without a usable answer."};
inline constexpr Definition endpoint_responses{"fanfare_endpoint_responses_total", Type::counter,
                                               "endpoint,code", "Answers, by HTTP status."};
inline constexpr Definition endpoint_retries{
    "fanfare_endpoint_retries_total", Type::counter, "endpoint",
    "Attempts that were not the first one of their event."};
inline constexpr Definition endpoint_dropped{
    "fanfare_endpoint_dropped_events_total", Type::counter, "endpoint,reason",
    "Events that left the queue undelivered and were not kept."};
inline constexpr Definition endpoint_dead_letters{
    "fanfare_endpoint_dead_letters_total", Type::counter, "endpoint,reason", "Events given up."};
inline constexpr Definition endpoint_breaker_open{
    "fanfare_endpoint_breaker_open", Type::gauge, "endpoint",
    "1 while attempts are held back after failures in a row, else 0."};
inline constexpr Definition endpoint_paused{"fanfare_endpoint_paused", Type::gauge, "endpoint",
                                            "1 while nothing is sent on purpose, else 0."};
inline constexpr Definition endpoint_up{
    "fanfare_endpoint_up", Type::gauge, "endpoint",
    "0 after meta.down_after attempts in a row went wrong, else 1."};
inline constexpr Definition endpoint_connections_opened{"fanfare_endpoint_connections_opened_total",
                                                        Type::counter, "endpoint",
                                                        "Connections opened to the endpoint."};
inline constexpr Definition endpoint_request_duration{"fanfare_endpoint_request_duration_seconds",
                                                      Type::histogram, "endpoint",
                                                      "Time that one attempt took."};
inline constexpr Definition endpoint_delivery_latency{
    "fanfare_endpoint_delivery_latency_seconds", Type::histogram, "endpoint",
    "Time from acceptance of an event to its delivery."};

inline constexpr Definition endpoint_batches{"fanfare_endpoint_batches_total", Type::counter,
                                             "endpoint", "Batches formed."};
inline constexpr Definition endpoint_batch_events{"fanfare_endpoint_batch_events", Type::histogram,
                                                  "endpoint", "Events in a batch as it is formed."};
inline constexpr Definition endpoint_batch_wait{
    "fanfare_endpoint_batch_wait_seconds", Type::histogram, "endpoint",
    "Time from acceptance of a batch's oldest event until it is formed."};
inline constexpr Definition endpoint_batch_splits{
    "fanfare_endpoint_batch_splits_total", Type::counter, "endpoint",
    "Batches halved to find the event that the receiver refuses."};

inline constexpr Definition dead_letters_stored{"fanfare_dead_letters_stored_total", Type::counter,
                                                "", "Dead letters written to disk."};
inline constexpr Definition dead_letters_lost{
    "fanfare_dead_letters_lost_total", Type::counter, "reason",
    "Dead letters that were to be kept and are not, by what prevented it."};
inline constexpr Definition dead_letters_replayed{"fanfare_dead_letters_replayed_total",
                                                  Type::counter, "",
                                                  "Dead letters queued again for their endpoint."};
inline constexpr Definition dead_letters_purged{"fanfare_dead_letters_purged_total", Type::counter,
                                                "", "Dead letters deleted on request."};
inline constexpr Definition dead_letters_kept_events{"fanfare_dead_letters_kept_events",
                                                     Type::gauge, "", "Dead letters on disk."};
inline constexpr Definition dead_letters_kept_bytes{"fanfare_dead_letters_kept_bytes", Type::gauge,
                                                    "",
                                                    "What counts towards dead_letters.max_bytes."};

inline constexpr Definition store_commits{"fanfare_store_commits_total", Type::counter, "",
                                          "Commits of the durable queue."};
inline constexpr Definition store_full_commits{"fanfare_store_full_commits_total", Type::counter,
                                               "", "Commits for which there was no room."};
inline constexpr Definition store_commit_duration{"fanfare_store_commit_duration_seconds",
                                                  Type::histogram, "",
                                                  "Time of a commit, with the sync of the disk."};
inline constexpr Definition store_commit_events{"fanfare_store_commit_events", Type::histogram, "",
                                                "Events stored by a commit that stored some."};
inline constexpr Definition store_events{
    "fanfare_store_events", Type::gauge, "",
    "Events on disk, with those that are to be erased as nobody waits for them any more."};
inline constexpr Definition store_file_bytes{"fanfare_store_file_bytes", Type::gauge, "",
                                             "Size of the durable queue's file."};
inline constexpr Definition store_free_bytes{"fanfare_store_free_bytes", Type::gauge, "",
                                             "Of it, what is free for new events."};
inline constexpr Definition store_disk_available_bytes{
    "fanfare_store_disk_available_bytes", Type::gauge, "",
    "What its disk has left for the file to grow; 0 if the queue is in memory."};
inline constexpr Definition store_wal_bytes{"fanfare_store_wal_bytes", Type::gauge, "",
                                            "Size of the write-ahead log beside it."};
inline constexpr Definition store_max_bytes{"fanfare_store_max_bytes", Type::gauge, "",
                                            "queue.max_disk; 0 if the queue is in memory."};
inline constexpr Definition store_full{"fanfare_store_full", Type::gauge, "",
                                       "1 while events are refused as there is no room for them."};
inline constexpr Definition store_damaged_events{"fanfare_store_damaged_events_total",
                                                 Type::counter, "",
                                                 "Stored events found damaged, and never sent."};
inline constexpr Definition store_forgotten_events{
    "fanfare_store_forgotten_events_total", Type::counter, "",
    "Pending events dropped because removed_grace of their endpoint was over."};
inline constexpr Definition store_moved_aside{
    "fanfare_store_moved_aside_total", Type::counter, "",
    "Stores that could not be used at the start and were moved aside."};

inline constexpr Definition fleet_connected{
    "fanfare_fleet_connected", Type::gauge, "",
    "1 while a server of the queue that all processes share can be reached."};
inline constexpr Definition fleet_connects{"fanfare_fleet_connects_total", Type::counter, "",
                                           "Connections made to such servers."};
inline constexpr Definition fleet_replicas{
    "fanfare_fleet_replicas", Type::gauge, "",
    "Processes that work off the shared queue, as seen from this one, itself included."};
inline constexpr Definition fleet_config_mismatch{
    "fanfare_fleet_config_mismatch", Type::gauge, "",
    "Endpoints that some process has configured differently, or does not have; one more if "
    "settings of the queue differ."};
inline constexpr Definition fleet_events{"fanfare_fleet_events", Type::gauge, "",
                                         "Events in the shared log, with those kept as history."};
inline constexpr Definition fleet_bytes{"fanfare_fleet_bytes", Type::gauge, "",
                                        "What the shared log takes up."};
inline constexpr Definition fleet_published{"fanfare_fleet_published_events_total", Type::counter,
                                            "", "Events that the shared log has acknowledged."};
inline constexpr Definition fleet_duplicates{
    "fanfare_fleet_duplicate_events_total", Type::counter, "",
    "Of these, events that were there already: their senders have repeated them."};
inline constexpr Definition fleet_failed{
    "fanfare_fleet_failed_events_total", Type::counter, "",
    "Events that the shared log has refused, or not acknowledged in time."};
inline constexpr Definition fleet_waiting{"fanfare_fleet_waiting_events", Type::gauge, "",
                                          "Events that wait for an acknowledgement of the log."};
inline constexpr Definition fleet_publish_duration{
    "fanfare_fleet_publish_duration_seconds", Type::histogram, "",
    "Time until the shared log acknowledges an event."};
inline constexpr Definition endpoint_redelivered{
    "fanfare_endpoint_redelivered_events", Type::gauge, "endpoint",
    "Pending events that the shared queue has given out more than once."};

inline constexpr Definition history_events{"fanfare_history_events", Type::gauge, "",
                                           "Events that the history holds."};
inline constexpr Definition history_bytes{"fanfare_history_bytes", Type::gauge, "",
                                          "Their payload."};
inline constexpr Definition history_lowest{
    "fanfare_history_lowest_seq", Type::gauge, "",
    "One above the seq of the last event that has gone from the history."};
inline constexpr Definition history_next{"fanfare_history_next_seq", Type::gauge, "",
                                         "One above the seq of the last event that came."};
inline constexpr Definition history_evicted{"fanfare_history_evicted_total", Type::counter,
                                            "reason", "Events that have gone from the history."};
inline constexpr Definition history_truncated{
    "fanfare_history_truncated_total", Type::counter, "",
    "Events too large for the history, which holds a stub of them."};
inline constexpr Definition streams_active{"fanfare_streams_active", Type::gauge, "",
                                           "Live streams that are open."};
inline constexpr Definition streams_opened{"fanfare_streams_opened_total", Type::counter, "format",
                                           "Live streams that were opened."};
inline constexpr Definition streams_closed{"fanfare_streams_closed_total", Type::counter, "reason",
                                           "Live streams that have ended."};
inline constexpr Definition streams_rejected{"fanfare_streams_rejected_total", Type::counter,
                                             "reason", "Live streams that were refused."};
inline constexpr Definition stream_events_sent{"fanfare_stream_events_sent_total", Type::counter,
                                               "", "Events sent to live streams."};
inline constexpr Definition stream_gaps{"fanfare_stream_gaps_total", Type::counter, "reason",
                                        "Gaps that live streams were told of."};
inline constexpr Definition stream_lag{
    "fanfare_stream_lag_events", Type::gauge, "",
    "Events that the live stream farthest behind has not been sent yet."};
inline constexpr Definition http_requests{"fanfare_http_requests_total", Type::counter, "path,code",
                                          "Requests answered by the admin listener."};

inline constexpr Definition config_reloads{"fanfare_config_reloads_total", Type::counter, "result",
                                           "Attempts to load the configuration anew."};
inline constexpr Definition config_last_reload_success{
    "fanfare_config_last_reload_success", Type::gauge, "",
    "1 if the configuration that was last read is in use, 0 if it was rejected."};
inline constexpr Definition config_last_reload_timestamp{
    "fanfare_config_last_reload_timestamp_seconds", Type::gauge, "",
    "When the configuration in use was loaded, in seconds since the epoch."};
inline constexpr Definition config_info{
    "fanfare_config_info", Type::gauge, "hash",
    "Always 1; the label tells the content of the configuration's file in use."};
inline constexpr Definition build_info{"fanfare_build_info", Type::gauge, "version,commit,compiler",
                                       "Always 1; the labels say what is running."};

inline constexpr Definition process_cpu{"process_cpu_seconds_total", Type::counter, "",
                                        "User and system CPU time spent."};
inline constexpr Definition process_resident_memory{"process_resident_memory_bytes", Type::gauge,
                                                    "", "Resident memory size."};
inline constexpr Definition process_virtual_memory{"process_virtual_memory_bytes", Type::gauge, "",
                                                   "Virtual memory size."};
inline constexpr Definition process_open_fds{"process_open_fds", Type::gauge, "",
                                             "Open file descriptors."};
inline constexpr Definition process_max_fds{"process_max_fds", Type::gauge, "",
                                            "Limit of open file descriptors."};
inline constexpr Definition process_start_time{"process_start_time_seconds", Type::gauge, "",
                                               "Start of the process, in seconds since the epoch."};
inline constexpr Definition process_threads{"process_threads", Type::gauge, "",
                                            "Threads of the process."};

// The registry's own names, only with `admin.registry_metrics`; the gauge that is called a total
// breaks the rules of naming, but it is what dashboards made for the registry ask for.
inline constexpr Definition registry_events{"registry_notifications_events_total", Type::counter,
                                            "type,endpoint", "The number of total events"};
inline constexpr Definition registry_pending{"registry_notifications_pending_total", Type::gauge,
                                             "endpoint", "The gauge of pending events in queue"};
inline constexpr Definition registry_status{"registry_notifications_status_total", Type::counter,
                                            "code,endpoint", "The number of status code"};

/// What `/metrics` always shows.
inline constexpr std::array all = {ingest_requests,
                                   ingest_events,
                                   ingest_bytes,
                                   ingest_request_duration,
                                   ingest_connections,
                                   endpoint_events,
                                   endpoint_replayed,
                                   endpoint_meta,
                                   endpoint_restored,
                                   endpoint_ignored,
                                   endpoint_pending_events,
                                   endpoint_pending_bytes,
                                   endpoint_in_flight,
                                   endpoint_oldest_pending,
                                   endpoint_successes,
                                   endpoint_failures,
                                   endpoint_errors,
                                   endpoint_responses,
                                   endpoint_retries,
                                   endpoint_dropped,
                                   endpoint_dead_letters,
                                   endpoint_breaker_open,
                                   endpoint_paused,
                                   endpoint_up,
                                   endpoint_connections_opened,
                                   endpoint_request_duration,
                                   endpoint_delivery_latency,
                                   dead_letters_stored,
                                   dead_letters_lost,
                                   dead_letters_replayed,
                                   dead_letters_purged,
                                   dead_letters_kept_events,
                                   dead_letters_kept_bytes,
                                   store_commits,
                                   store_full_commits,
                                   store_commit_duration,
                                   store_commit_events,
                                   store_events,
                                   store_file_bytes,
                                   store_free_bytes,
                                   store_disk_available_bytes,
                                   store_wal_bytes,
                                   store_max_bytes,
                                   store_full,
                                   store_damaged_events,
                                   store_forgotten_events,
                                   store_moved_aside,
                                   history_events,
                                   history_bytes,
                                   history_lowest,
                                   history_next,
                                   history_evicted,
                                   history_truncated,
                                   streams_active,
                                   streams_opened,
                                   streams_closed,
                                   streams_rejected,
                                   stream_events_sent,
                                   stream_gaps,
                                   stream_lag,
                                   http_requests,
                                   config_reloads,
                                   config_last_reload_success,
                                   config_last_reload_timestamp,
                                   config_info,
                                   build_info,
                                   process_cpu,
                                   process_resident_memory,
                                   process_virtual_memory,
                                   process_open_fds,
                                   process_max_fds,
                                   process_start_time,
                                   process_threads};

/// What is added where several processes share a queue.
inline constexpr std::array sharing = {
    fleet_connected, fleet_connects, fleet_replicas,         fleet_config_mismatch,
    fleet_events,    fleet_bytes,    fleet_published,        fleet_duplicates,
    fleet_failed,    fleet_waiting,  fleet_publish_duration, endpoint_redelivered};

/// What endpoints add that send batches.
inline constexpr std::array batching = {endpoint_batches, endpoint_batch_events,
                                        endpoint_batch_wait, endpoint_batch_splits};

/// What `admin.registry_metrics` adds.
inline constexpr std::array registry = {registry_events, registry_pending, registry_status};

}  // namespace fanfare::metric
