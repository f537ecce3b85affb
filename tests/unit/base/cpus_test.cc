#include "base/cpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace fanfare {
namespace {

namespace fs = std::filesystem;

/// A directory that stands for `/`, with the files that tell of control groups.
class FakeRoot {
  public:
    FakeRoot() {
        std::string name = (fs::temp_directory_path() / "fanfare-cpus-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~FakeRoot() { fs::remove_all(path_); }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
    }

    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

TEST(Cpus, finds_at_least_one_on_this_machine) { EXPECT_GE(cpus_available(), 1U); }

TEST(Cpus, knows_no_quota_without_control_groups) {
    const FakeRoot root;

    EXPECT_EQ(cpu_quota(root.path()), 0U);
    EXPECT_GE(cpus_available(root.path()), 1U);
}

TEST(Cpus, reads_the_quota_of_cgroup_v2_rounded_down) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/app.slice/fanfare\n");
    root.write("sys/fs/cgroup/app.slice/fanfare/cpu.max", "350000 100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 3U);
}

TEST(Cpus, never_goes_below_one) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/\n");
    root.write("sys/fs/cgroup/cpu.max", "20000 100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 1U);
    EXPECT_EQ(cpus_available(root.path()), 1U);
}

TEST(Cpus, counts_the_tightest_group_on_the_way_up) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/a/b\n");
    root.write("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    root.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 2U);
}

TEST(Cpus, knows_no_quota_where_it_says_max) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/a\n");
    root.write("sys/fs/cgroup/a/cpu.max", "max 100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 0U);
}

TEST(Cpus, reads_the_quota_of_cgroup_v1) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/1234\n0::/x\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 4U);
}

TEST(Cpus, knows_no_quota_where_cgroup_v1_says_minus_one) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "4:cpu,cpuacct:/\n");
    root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");

    EXPECT_EQ(cpu_quota(root.path()), 0U);
}

}  // namespace
}  // namespace fanfare
