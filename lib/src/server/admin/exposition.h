#pragma once

#include <string>
#include <string_view>

#include "fanfare/broadcaster.h"
#include "fanfare/metrics.h"
#include "server/admin/process_facts.h"
#include "store/dead_letters.h"

namespace fanfare {

/// What is running.
struct BuildInfo {
    std::string version;
    std::string commit;
    std::string compiler;
};

/// All that one scrape is made of.
struct Scrape {
    Snapshot snapshot;
    IngestMetrics ingest;  ///< of all shards together
    DeadLetterCounts dead_letters;
    ProcessFacts process;
    BuildInfo build;
    bool with_registry_metrics = false;
};

/// The content type of what exposition() gives.
inline constexpr std::string_view exposition_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of SPEC 14 in Prometheus' text format 0.0.4.
std::string exposition(const Scrape& scrape);

}  // namespace fanfare
