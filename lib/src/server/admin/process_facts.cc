#include "server/admin/process_facts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace fanfare {
namespace {

/// When the machine started, in seconds since the epoch.
double boot_time() {
    std::ifstream in("/proc/stat");
    std::string word;
    double boot_seconds = 0;
    while (in >> word) {
        if (word == "btime" && in >> boot_seconds) return boot_seconds;
    }
    return 0;
}

std::uint64_t count_open_fds() {
    std::error_code error;
    const std::filesystem::directory_iterator entries("/proc/self/fd", error);
    if (error) return 0;
    std::uint64_t count = 0;
    for (std::filesystem::directory_iterator entry = entries, end; entry != end;) {
        ++count;
        entry.increment(error);
        if (error) break;
    }
    return count > 0 ? count - 1 : 0;  // one of them is the directory that is being read
}

/// The fields of /proc/self/stat that follow the name of the executable, which may itself hold
/// blanks and brackets.
std::istringstream stat_fields() {
    std::ifstream in("/proc/self/stat");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::size_t name_end = text.rfind(')');
    return std::istringstream(name_end == std::string::npos ? "" : text.substr(name_end + 1));
}

void read_stat(ProcessFacts& facts) {
    std::istringstream fields = stat_fields();
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    std::string skipped;
    for (int field = 3; field <= 13; ++field) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    for (int field = 16; field <= 19; ++field) fields >> skipped;
    double start = 0;
    std::uint64_t pages = 0;
    fields >> facts.threads >> skipped >> start >> facts.virtual_bytes >> pages;
    facts.cpu_seconds = (user + system) / ticks;
    facts.start_time_seconds = boot_time() + start / ticks;
    facts.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessFacts read_process_facts() {
    ProcessFacts facts;
    read_stat(facts);
    facts.open_fds = count_open_fds();
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.fds_max = limit.rlim_cur;
    return facts;
}

}  // namespace fanfare
