#pragma once

#include <filesystem>

namespace fanfare {

/// The CPUs this process may use, at least 1: what its affinity mask allows, further bounded by
/// the CPU quota of its control group and of all groups above (cgroup v2 or v1), rounded down.
/// `root` is the directory that stands for `/` when looking for the quota.
unsigned cpus_available(const std::filesystem::path& root = "/");

/// Only the quota, rounded down to at least 1; 0 if there is none.
unsigned cpu_quota(const std::filesystem::path& root);

}  // namespace fanfare
