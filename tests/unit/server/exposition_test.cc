#include "server/admin/exposition.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "metrics/names.h"

namespace fanfare {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) result.push_back(line);
    return result;
}

/// What a daemon with one endpoint shows before anything has happened.
Scrape fresh_scrape() {
    Scrape scrape;
    EndpointSnapshot endpoint;
    endpoint.name = "audit";
    scrape.snapshot.endpoints.push_back(endpoint);
    scrape.build = BuildInfo{"1.2.3", "abcdef", "GNU 12"};
    return scrape;
}

bool contains(const std::string& text, const std::string& line) {
    return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

TEST(Exposition, shows_every_series_at_its_start_as_in_the_golden_list) {
    std::string shown;
    for (const std::string& line : lines(exposition(fresh_scrape()))) {
        shown += line.starts_with('#') ? line : line.substr(0, line.rfind(' '));
        shown += '\n';
    }

    EXPECT_EQ(shown, read_file(FANFARE_SOURCE_DIR "/tests/golden/metrics.txt"));
}

TEST(Exposition, starts_everything_at_zero_but_what_is_one_by_nature) {
    for (const std::string& line : lines(exposition(fresh_scrape()))) {
        if (line.starts_with('#')) continue;
        const bool is_one = line.starts_with("fanfare_build_info") ||
                            line.starts_with("fanfare_endpoint_up") ||
                            line.starts_with("fanfare_config_info") ||
                            line.starts_with("fanfare_history_lowest_seq") ||
                            line.starts_with("fanfare_history_next_seq") ||
                            line.starts_with("fanfare_config_last_reload_success");

        EXPECT_EQ(line.substr(line.rfind(' ') + 1), is_one ? "1" : "0") << line;
    }
}

TEST(Exposition, shows_each_metric_of_the_table_once_with_its_type_and_help) {
    const std::string text = exposition(fresh_scrape());

    std::set<std::string_view> names;
    for (const metric::Definition& definition : metric::all) {
        const std::string name(definition.name);
        EXPECT_TRUE(names.insert(definition.name).second) << name;
        EXPECT_TRUE(contains(text, "# HELP " + name + ' ' + std::string(definition.help))) << name;
        EXPECT_EQ(definition.help.find('\n'), std::string_view::npos) << name;
        EXPECT_EQ(definition.name.ends_with("_total"), definition.type == metric::Type::counter)
            << name;
    }
    std::size_t families = 0;
    for (const std::string& line : lines(text)) families += line.starts_with("# TYPE") ? 1 : 0;
    EXPECT_EQ(families, names.size());
}

TEST(Exposition, counts_what_happened_at_an_endpoint) {
    Scrape scrape = fresh_scrape();
    EndpointSnapshot& endpoint = scrape.snapshot.endpoints.front();
    endpoint.metrics.queued(3);
    endpoint.metrics.ignored(2);
    endpoint.metrics.attempted(Outcome::retry(Reason::timeout), 1, std::chrono::seconds(1));
    endpoint.metrics.attempted(Outcome::refused(503), 2, std::chrono::milliseconds(1));
    endpoint.metrics.attempted(Outcome::delivered(204), 3, std::chrono::milliseconds(1));
    endpoint.metrics.delivered(std::chrono::seconds(2));
    endpoint.metrics.dropped(1, DropReason::shutdown);
    endpoint.pending_events = 1;
    endpoint.oldest_pending = std::chrono::milliseconds(1500);
    endpoint.is_breaker_open = true;
    endpoint.is_up = false;

    const std::string text = exposition(scrape);

    for (const char* line :
         {R"(fanfare_endpoint_events_total{endpoint="audit"} 3)",
          R"(fanfare_endpoint_ignored_events_total{endpoint="audit"} 2)",
          R"(fanfare_endpoint_pending_events{endpoint="audit"} 1)",
          R"(fanfare_endpoint_oldest_pending_seconds{endpoint="audit"} 1.5)",
          R"(fanfare_endpoint_successes_total{endpoint="audit"} 1)",
          R"(fanfare_endpoint_failures_total{endpoint="audit"} 1)",
          R"(fanfare_endpoint_errors_total{endpoint="audit",reason="timeout"} 1)",
          R"(fanfare_endpoint_responses_total{endpoint="audit",code="503"} 1)",
          R"(fanfare_endpoint_responses_total{endpoint="audit",code="204"} 1)",
          R"(fanfare_endpoint_retries_total{endpoint="audit"} 2)",
          R"(fanfare_endpoint_dropped_events_total{endpoint="audit",reason="shutdown"} 1)",
          R"(fanfare_endpoint_breaker_open{endpoint="audit"} 1)",
          R"(fanfare_endpoint_up{endpoint="audit"} 0)",
          R"(fanfare_endpoint_request_duration_seconds_count{endpoint="audit"} 3)",
          R"(fanfare_endpoint_request_duration_seconds_bucket{endpoint="audit",le="0.5"} 2)",
          R"(fanfare_endpoint_request_duration_seconds_bucket{endpoint="audit",le="+Inf"} 3)",
          R"(fanfare_endpoint_delivery_latency_seconds_sum{endpoint="audit"} 2)"}) {
        EXPECT_TRUE(contains(text, line)) << line;
    }
}

TEST(Exposition, counts_what_happened_at_the_ingest_listener) {
    Scrape scrape = fresh_scrape();
    scrape.snapshot.ingested_events = 7;
    scrape.snapshot.ingested_bytes = 700;
    scrape.ingest.connection_opened();
    scrape.ingest.answered(202, std::chrono::microseconds(200));
    scrape.ingest.answered(400, std::chrono::microseconds(200));

    const std::string text = exposition(scrape);

    for (const char* line :
         {R"(fanfare_ingest_requests_total{code="202"} 1)",
          R"(fanfare_ingest_requests_total{code="400"} 1)", "fanfare_ingest_events_total 7",
          "fanfare_ingest_bytes_total 700", "fanfare_ingest_connections 1",
          "fanfare_ingest_request_duration_seconds_count 2",
          R"(fanfare_ingest_request_duration_seconds_bucket{le="0.0001"} 0)",
          R"(fanfare_ingest_request_duration_seconds_bucket{le="0.00025"} 2)"}) {
        EXPECT_TRUE(contains(text, line)) << line;
    }
}

TEST(Exposition, keeps_big_counts_exact) {
    Scrape scrape = fresh_scrape();
    scrape.snapshot.ingested_bytes = 123'456'789'012'345;

    EXPECT_TRUE(contains(exposition(scrape), "fanfare_ingest_bytes_total 123456789012345"));
}

TEST(Exposition, adds_the_registry_s_names_when_asked) {
    Scrape scrape = fresh_scrape();
    EndpointMetrics& metrics = scrape.snapshot.endpoints.front().metrics;
    metrics.queued(2);
    metrics.attempted(Outcome::delivered(200), 1, {});
    metrics.delivered({});
    metrics.attempted(Outcome::delivered(299), 1, {});
    metrics.delivered({});
    scrape.with_registry_metrics = true;

    const std::string text = exposition(scrape);

    for (const char* line :
         {R"(registry_notifications_events_total{type="Events",endpoint="audit"} 2)",
          R"(registry_notifications_events_total{type="Successes",endpoint="audit"} 2)",
          R"(registry_notifications_events_total{type="Failures",endpoint="audit"} 0)",
          R"(registry_notifications_events_total{type="Errors",endpoint="audit"} 0)",
          "# TYPE registry_notifications_pending_total gauge",
          R"(registry_notifications_pending_total{endpoint="audit"} 0)",
          R"(registry_notifications_status_total{code="200 OK",endpoint="audit"} 1)",
          R"(registry_notifications_status_total{code="299 ",endpoint="audit"} 1)"}) {
        EXPECT_TRUE(contains(text, line)) << line;
    }
}

TEST(Exposition, leaves_the_registry_s_names_out_by_default) {
    EXPECT_EQ(exposition(fresh_scrape()).find("registry_"), std::string::npos);
}

/// The rows `| name | type | labels | …` of the tables in lib/doc/metrics.md.
std::vector<std::string> documented_metrics() {
    std::vector<std::string> rows;
    for (const std::string& line : lines(read_file(FANFARE_SOURCE_DIR "/lib/doc/metrics.md"))) {
        if (!line.starts_with("| `")) continue;
        std::size_t end = 0;
        for (int column = 0; column < 4 && end != std::string::npos; ++column) {
            end = line.find('|', end == 0 ? 1 : end + 1);
            if (column == 2) break;
        }
        rows.push_back(line.substr(0, end + 1));
    }
    return rows;
}

std::string documentation_row(const metric::Definition& definition) {
    const char* type = definition.type == metric::Type::counter ? "counter"
                       : definition.type == metric::Type::gauge ? "gauge"
                                                                : "histogram";
    std::string labels;
    std::istringstream in{std::string(definition.labels)};
    for (std::string label; std::getline(in, label, ',');) {
        labels += (labels.empty() ? "`" : ", `") + label + '`';
    }
    return "| `" + std::string(definition.name) + "` | " + type + " | " + labels +
           (labels.empty() ? "|" : " |");
}

TEST(Exposition, tells_of_batches_where_there_are_any) {
    Scrape scrape = fresh_scrape();
    EXPECT_FALSE(contains(exposition(scrape), "fanfare_endpoint_batch"));
    EndpointMetrics& metrics = scrape.snapshot.endpoints.front().metrics;
    metrics.count_batches();
    metrics.batch_formed(64, std::chrono::milliseconds(200));
    metrics.batch_formed(1, Duration::zero());
    metrics.batch_split();

    const std::string text = exposition(scrape);

    const std::string labels = "{endpoint=\"" + scrape.snapshot.endpoints.front().name + "\"";
    EXPECT_TRUE(contains(text, "fanfare_endpoint_batches_total" + labels + "} 2"));
    EXPECT_TRUE(contains(text, "fanfare_endpoint_batch_splits_total" + labels + "} 1"));
    EXPECT_TRUE(contains(text, "fanfare_endpoint_batch_events_sum" + labels + "} 65"));
    EXPECT_TRUE(contains(text, "fanfare_endpoint_batch_events_bucket" + labels + ",le=\"50\"} 1"));
    EXPECT_TRUE(contains(text, "fanfare_endpoint_batch_wait_seconds_count" + labels + "} 2"));
}

TEST(Exposition, tells_of_a_fleet_where_there_is_one) {
    Scrape scrape = fresh_scrape();
    EXPECT_FALSE(contains(exposition(scrape), "fanfare_fleet_"));
    scrape.fleet.emplace();
    scrape.fleet->replicas = 3;
    scrape.fleet->mismatches = 1;
    scrape.fleet->log.is_connected = true;
    scrape.fleet->log.events = 7;
    scrape.snapshot.endpoints.front().shared.emplace().redelivered = 2;

    const std::string text = exposition(scrape);

    for (const metric::Definition& definition : metric::sharing) {
        const std::string help = "# HELP " + std::string(definition.name) + ' ';
        EXPECT_NE(text.find(help), std::string::npos) << definition.name;
    }
    const std::string labels = "{endpoint=\"" + scrape.snapshot.endpoints.front().name + "\"";
    EXPECT_TRUE(contains(text, "fanfare_fleet_connected 1"));
    EXPECT_TRUE(contains(text, "fanfare_fleet_replicas 3"));
    EXPECT_TRUE(contains(text, "fanfare_fleet_config_mismatch 1"));
    EXPECT_TRUE(contains(text, "fanfare_fleet_events 7"));
    EXPECT_TRUE(contains(text, "fanfare_endpoint_redelivered_events" + labels + "} 2"));
}

TEST(MetricsDocument, lists_every_metric_with_type_and_labels_and_no_other) {
    std::vector<std::string> expected;
    for (const metric::Definition& definition : metric::all) {
        expected.push_back(documentation_row(definition));
    }
    for (const metric::Definition& definition : metric::batching) {
        expected.push_back(documentation_row(definition));
    }
    for (const metric::Definition& definition : metric::sharing) {
        expected.push_back(documentation_row(definition));
    }
    for (const metric::Definition& definition : metric::registry) {
        expected.push_back(documentation_row(definition));
    }

    EXPECT_EQ(documented_metrics(), expected);
}

TEST(ProcessFacts, are_plausible) {
    const ProcessFacts facts = read_process_facts();

    EXPECT_GT(facts.resident_bytes, 1024U * 1024U);
    EXPECT_GT(facts.virtual_bytes, facts.resident_bytes);
    EXPECT_GE(facts.open_fds, 3U);
    EXPECT_GT(facts.fds_max, facts.open_fds);
    EXPECT_GE(facts.threads, 1U);
    EXPECT_GT(facts.start_time_seconds, 1.5e9);
    EXPECT_LT(facts.cpu_seconds, 3600);
}

}  // namespace
}  // namespace fanfare
