#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fanfare/broadcaster.h"
#include "fanfare/metrics.h"
#include "fleet/shared_log.h"
#include "server/admin/process_facts.h"
#include "server/events/stream_hub.h"
#include "store/journal.h"
#include "store/letters.h"

namespace fanfare {

/// What is running.
struct BuildInfo {
    std::string version;
    std::string commit;
    std::string compiler;
};

/// What has become of a configuration that was read again.
enum class ReloadResult : std::uint8_t { ok, rejected, noop };
inline constexpr std::size_t reload_results = 3;
std::string_view to_string(ReloadResult result) noexcept;

/// How often, and which configuration is in effect.
struct ReloadCounts {
    std::array<std::uint64_t, reload_results> results{};
    bool is_last_good = true;  ///< what was read last is in effect
    WallTime loaded_at{};      ///< when what is in effect was
    std::string hash;          ///< of it
};

/// Requests to the admin listener, by the path that served them and by status.
using RequestCounts = std::map<std::pair<std::string_view, int>, std::uint64_t>;

/// The processes that work off the same queue, and the log that they share.
struct FleetScrape {
    SharedLogFigures log;
    std::size_t replicas = 0;
    std::size_t mismatches = 0;  ///< endpoints
};

/// All that one scrape is made of.
struct Scrape {
    Snapshot snapshot;
    IngestMetrics ingest;  ///< of all shards together
    DeadLetterCounts dead_letters;
    JournalCounts journal;
    std::optional<FleetScrape> fleet;  ///< nothing: there is none
    HistoryCounts history;
    StreamCounts streams;
    RequestCounts requests;
    ProcessFacts process;
    ReloadCounts reloads;
    BuildInfo build;
    bool with_registry_metrics = false;
};

/// The content type of what exposition() gives.
inline constexpr std::string_view exposition_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of SPEC 14 in Prometheus' text format 0.0.4.
std::string exposition(const Scrape& scrape);

}  // namespace fanfare
