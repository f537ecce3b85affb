#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace fanfare::test {

/// What a disk has been told.
struct DiskOperation {
    enum class Kind { write, truncate, sync };

    Kind kind = Kind::write;
    std::string file;  // without its folder
    sqlite3_int64 offset = 0;
    std::string bytes;
};

/// Files by their names without the folder.
using DiskImage = std::map<std::string, std::string>;

DiskImage read_image(const std::string& folder);
void write_image(const DiskImage& image, const std::string& folder);

/// What a power cut after these operations may leave: all that was synced, and of the rest some,
/// some not, and some with parts of its sectors only.
DiskImage after_power_cut(DiskImage image, std::vector<DiskOperation> operations,
                          std::mt19937& random);

/// SQLite's access to the disk, which is written down, or fails.
class FaultVfs {
  public:
    FaultVfs();
    ~FaultVfs();
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    const char* name() const { return name_.c_str(); }

    std::vector<DiskOperation> operations;
    /// The SQLite code of what is about to be done; SQLITE_OK: it is done.
    std::function<int(const DiskOperation&)> fault;

  private:
    struct File;
    struct Methods;
    int perform(DiskOperation operation, const std::function<int()>& work);
    static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out);

    const std::string name_ = "fanfare-test-faults";
    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;
};

}  // namespace fanfare::test
