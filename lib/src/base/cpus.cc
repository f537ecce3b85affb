#include "base/cpus.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr double no_quota = std::numeric_limits<double>::infinity();

/// `max 100000` or `150000 100000`: microseconds of CPU time per period.
double quota_v2(const fs::path& group) {
    std::ifstream file(group / "cpu.max");
    double quota = 0;
    double period = 0;
    return file >> quota >> period && quota > 0 && period > 0 ? quota / period : no_quota;
}

double quota_v1(const fs::path& group) {
    std::ifstream quota_file(group / "cpu.cfs_quota_us");
    std::ifstream period_file(group / "cpu.cfs_period_us");
    double quota = 0;
    double period = 0;
    const bool is_set = quota_file >> quota && period_file >> period && quota > 0 && period > 0;
    return is_set ? quota / period : no_quota;
}

/// The smallest quota of `group` and all groups above it, up to and with `mount`. Inside a
/// container the group's path may not exist below the mount; its parents are looked at all the
/// same, and the mount itself is then the container's own group.
double smallest_quota(const fs::path& mount, const std::string& group,
                      double (*quota)(const fs::path&)) {
    double smallest = quota(mount);
    fs::path path = mount;
    for (const fs::path& part : fs::path(group).relative_path()) {
        if (part == "..") break;
        path /= part;
        smallest = std::min(smallest, quota(path));
    }
    return smallest;
}

bool has_cpu(const std::string& controllers) {
    return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

unsigned affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
    // More CPUs than the set has room for.
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

unsigned cpu_quota(const fs::path& root) {
    double smallest = no_quota;
    const fs::path mounts = root / "sys/fs/cgroup";
    std::ifstream groups(root / "proc/self/cgroup");
    // One line per hierarchy: `0::/path` (v2) or `4:cpu,cpuacct:/path` (v1).
    for (std::string line; std::getline(groups, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string group = line.substr(second + 1);
        if (controllers.empty()) {
            for (const fs::path& mount : {mounts, mounts / "unified"}) {
                smallest = std::min(smallest, smallest_quota(mount, group, quota_v2));
            }
        } else if (has_cpu(controllers)) {
            for (const fs::path& mount : {mounts / "cpu", mounts / controllers}) {
                smallest = std::min(smallest, smallest_quota(mount, group, quota_v1));
            }
        }
    }
    if (smallest == no_quota) return 0;
    return static_cast<unsigned>(std::clamp(smallest, 1.0, 1e6));
}

unsigned cpus_available(const fs::path& root) {
    const unsigned quota = cpu_quota(root);
    return quota == 0 ? affinity() : std::min(quota, affinity());
}

}  // namespace fanfare
