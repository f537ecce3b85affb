#include "store/database_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr std::array suffixes = {"-wal", "-shm", "-journal"};

Error failure(const std::string& what, int error) {
    return Error(what + ": " + std::generic_category().message(error));
}

}  // namespace

Result<void> make_private_file(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool is_made = descriptor >= 0 && ::fchmod(descriptor, 0600) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (is_made) return {};
    return failure("cannot open " + file, error);
}

Result<void> move_database(const std::string& from, const std::string& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) return Error("cannot move " + from + " aside: " + error.message());
    for (const char* const suffix : suffixes) {
        fs::rename(from + suffix, to + suffix, error);
        if (error) fs::remove(to + suffix, error);
    }
    return {};
}

void remove_database(const std::string& file) noexcept {
    std::error_code ignored;
    fs::remove(file, ignored);
    for (const char* const suffix : suffixes) fs::remove(file + suffix, ignored);
}

Result<void> sync_folder_of(const std::string& file) {
    const std::string folder = fs::path(file).parent_path();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (is_synced) return {};
    return failure("cannot write the folder " + folder, error);
}

}  // namespace fanfare
