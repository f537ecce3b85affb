// Stands between a program (LD_PRELOAD) and one folder of its disk: makes calls fail, gives the
// folder a quota, lets syncs take long or does not do them, and writes down what the disk is told.
//
// FANFARE_DISK_DIR      the folder; all else passes
// FANFARE_DISK_CONTROL  a file of `Control`, mapped: whoever writes there is obeyed at once
// FANFARE_DISK_RECORD   a file to which `Record`s are appended; none: nothing is written down
//
// support/disk.py is the other side of both.
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>

namespace {

using Word = std::atomic<std::uint64_t>;

struct Control {
    Word fail_at;        // the number of the call that fails, from 1; 0: none
    Word fail_count;     // how many fail from there on; 0: one
    Word fail_calls;     // which are counted: a sum of `Call`s
    Word fail_error;     // errno; 0: half of a write is done; all bits: the process is killed
    Word fail_pause_us;  // before it fails
    Word quota_bytes;    // of all files together; 0: no quota
    Word sync_pause_us;  // how long a sync takes at least; setting it to less ends the wait
    Word lose_syncs;     // those of write-ahead logs are not done
    // What happened.
    Word counted;
    Word failed;
    Word failed_at_ns;  // when the first one began to
    Word refused;       // by the quota
    Word writes;
    Word syncs;
    Word position;  // of the record that comes next
};

/// Write-ahead logs are one thing, other files and the folder another.
enum Call : unsigned {
    log_write = 1,
    log_sync = 2,
    truncation = 4,
    file_write = 8,
    file_sync = 16
};

enum class Kind : std::uint32_t { write = 1, truncate, sync, create, erase, rename, sync_dir };

struct Record {
    Kind kind;
    std::uint32_t name_bytes;  // names follow the record, of a renaming both, with a NUL between
    std::uint64_t time_ns;
    std::uint64_t inode;
    std::uint64_t offset;      // of a sync: how many records there were when it began
    std::uint64_t data_bytes;  // follow the name
};

constexpr std::size_t files_max = 4096;

struct Shim {
    char dir[PATH_MAX] = {};
    std::size_t dir_bytes = 0;
    Control* control = nullptr;
    int record = -1;
    std::mutex mutex;
    // Inodes of the folder's files by descriptor; 0: not of the folder.
    std::array<std::atomic<std::uint64_t>, files_max> inodes{};
    std::array<bool, files_max> is_log{};
    std::array<bool, files_max> is_dir{};

    Shim() {
        const char* const folder = std::getenv("FANFARE_DISK_DIR");
        const char* const file = std::getenv("FANFARE_DISK_CONTROL");
        if (folder == nullptr || file == nullptr || ::realpath(folder, dir) == nullptr) return;
        const int descriptor = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file, O_RDWR));
        if (descriptor < 0) return;
        void* const memory =
            ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        ::syscall(SYS_close, descriptor);
        if (memory == MAP_FAILED) return;
        control = static_cast<Control*>(memory);
        dir_bytes = std::strlen(dir);
        const char* const name = std::getenv("FANFARE_DISK_RECORD");
        if (name == nullptr) return;
        record = static_cast<int>(
            ::syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    }
};

Shim& shim() {
    static Shim* const one = new Shim;  // calls come until the very end
    return *one;
}

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::uint64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// Until the control says less, too.
void pause_for(const Word& microseconds) {
    const std::uint64_t begin = now_ns();
    while (now_ns() - begin < microseconds.load() * 1000) {
        const timespec step{0, 2'000'000};
        ::nanosleep(&step, nullptr);
    }
}

/// The part of the path below the folder; empty: the folder itself; null: elsewhere.
const char* below(const char* path) {
    Shim& s = shim();
    if (s.control == nullptr || path == nullptr) return nullptr;
    if (std::strncmp(path, s.dir, s.dir_bytes) != 0) return nullptr;
    path += s.dir_bytes;
    if (*path == '\0') return path;
    return *path == '/' ? path + 1 : nullptr;
}

std::uint64_t inode_of(int descriptor) {
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= files_max) return 0;
    return shim().inodes[static_cast<std::size_t>(descriptor)].load();
}

struct Names {
    const char* first = "";
    const char* second = nullptr;
};

/// The caller holds the mutex.
void note(Kind kind, std::uint64_t inode, std::uint64_t offset, Names names,
          iovec data = {nullptr, 0}) {
    Shim& s = shim();
    if (s.record < 0) return;
    std::array<char, 2 * PATH_MAX> name{};
    int length = std::snprintf(name.data(), name.size(), "%s", names.first);
    if (names.second != nullptr) {
        length += 1 + std::snprintf(name.data() + length + 1, PATH_MAX, "%s", names.second);
    }
    Record record{kind, static_cast<std::uint32_t>(length), now_ns(), inode, offset, data.iov_len};
    std::array<iovec, 3> parts{iovec{&record, sizeof record},
                               iovec{name.data(), static_cast<std::size_t>(length)}, data};
    if (::syscall(SYS_writev, s.record, parts.data(), parts.size()) < 0) std::abort();
    ++s.control->position;
}

/// Whether this call is the one that is to fail. It has waited then, and errno is set.
bool must_fail(Call call) {
    Control& control = *shim().control;
    if ((control.fail_calls.load() & call) == 0) return false;
    const std::uint64_t number = ++control.counted;
    const std::uint64_t first = control.fail_at.load();
    const std::uint64_t count = std::max<std::uint64_t>(1, control.fail_count.load());
    if (first == 0 || number < first || number - first >= count) return false;
    if (control.failed++ == 0) control.failed_at_ns = now_ns();
    pause_for(control.fail_pause_us);
    if (~control.fail_error.load() == 0) ::kill(::getpid(), SIGKILL);
    errno = static_cast<int>(control.fail_error.load());
    return true;
}

std::uint64_t size_of(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::uint64_t used_bytes() {
    static std::uint64_t sum;  // guarded by the mutex, as nftw() takes no argument
    sum = 0;
    const auto add = [](const char* /*path*/, const struct stat* status, int type, FTW* /*at*/) {
        if (type == FTW_F) sum += static_cast<std::uint64_t>(status->st_size);
        return 0;
    };
    ::nftw(shim().dir, add, 8, FTW_PHYS);
    return sum;
}

/// How many of the bytes there is room for. The caller holds the mutex.
std::size_t room_for(int descriptor, std::uint64_t offset, std::size_t bytes) {
    Control& control = *shim().control;
    const std::uint64_t quota = control.quota_bytes.load();
    const std::uint64_t size = size_of(descriptor);
    const std::uint64_t end = offset + bytes;
    if (quota == 0 || end <= size) return bytes;
    const std::uint64_t used = used_bytes();
    const std::uint64_t free = quota > used ? quota - used : 0;
    const std::uint64_t growth = end - size;
    if (growth <= free) return bytes;
    ++control.refused;
    const std::uint64_t missing = growth - free;
    return missing >= bytes ? 0 : bytes - static_cast<std::size_t>(missing);
}

ssize_t write_at(int descriptor, const void* from, std::size_t bytes, std::int64_t offset) {
    static const auto pwrite_ =
        real<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
    static const auto write_ = real<ssize_t (*)(int, const void*, std::size_t)>("write");
    const bool is_here = offset < 0;
    const auto work = [&](std::size_t part) {
        return is_here ? write_(descriptor, from, part) : pwrite_(descriptor, from, part, offset);
    };
    const std::uint64_t inode = inode_of(descriptor);
    if (inode == 0) return work(bytes);
    Shim& s = shim();
    ++s.control->writes;
    const bool is_log = s.is_log[static_cast<std::size_t>(descriptor)];
    if (must_fail(is_log ? log_write : file_write)) {
        if (errno != 0) return -1;
        bytes /= 2;
    }
    const std::lock_guard lock(s.mutex);
    if (is_here) {
        const bool is_appended = (::fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
        offset = is_appended ? static_cast<std::int64_t>(size_of(descriptor))
                             : ::lseek64(descriptor, 0, SEEK_CUR);
    }
    const auto at = static_cast<std::uint64_t>(offset);
    const std::size_t room = room_for(descriptor, at, bytes);
    if (room == 0 && bytes > 0) {
        errno = ENOSPC;
        return -1;
    }
    const ssize_t done = work(room);
    if (done > 0) {
        note(Kind::write, inode, at, {}, {const_cast<void*>(from), static_cast<std::size_t>(done)});
    }
    return done;
}

int sync_with(const char* name, int descriptor) {
    const auto sync = real<int (*)(int)>(name);
    const std::uint64_t inode = inode_of(descriptor);
    if (inode == 0) return sync(descriptor);
    Shim& s = shim();
    const auto index = static_cast<std::size_t>(descriptor);
    ++s.control->syncs;
    if (must_fail(s.is_log[index] ? log_sync : file_sync)) return -1;
    if (s.is_log[index] && s.control->lose_syncs.load() != 0) return 0;
    const std::uint64_t position = s.control->position.load();
    pause_for(s.control->sync_pause_us);
    const int result = sync(descriptor);
    const std::lock_guard lock(s.mutex);
    if (result == 0) note(s.is_dir[index] ? Kind::sync_dir : Kind::sync, inode, position, {});
    return result;
}

bool ends_with(const char* text, const char* end) {
    const std::size_t length = std::strlen(text);
    const std::size_t end_length = std::strlen(end);
    return length >= end_length && std::strcmp(text + length - end_length, end) == 0;
}

int open_path(const char* path, int flags, mode_t mode) {
    static const auto open_ = real<int (*)(const char*, int, mode_t)>("open");
    const char* const name = below(path);
    if (name == nullptr) return open_(path, flags, mode);
    Shim& s = shim();
    const std::lock_guard lock(s.mutex);
    struct stat status {};
    const bool was_there = ::lstat(path, &status) == 0;
    const int descriptor = open_(path, flags, mode);
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= files_max) return descriptor;
    if (::fstat(descriptor, &status) != 0) return descriptor;
    const auto index = static_cast<std::size_t>(descriptor);
    s.is_log[index] = ends_with(name, "-wal");
    s.is_dir[index] = S_ISDIR(status.st_mode);
    s.inodes[index] = status.st_ino;
    if (!was_there) note(Kind::create, status.st_ino, 0, {name});
    const bool is_emptied = was_there && (flags & O_TRUNC) != 0 && status.st_size == 0;
    if (is_emptied) note(Kind::truncate, status.st_ino, 0, {});
    return descriptor;
}

/// Of what is done to a path, with `work`, which returns 0 if it was done.
template <class Work>
int change_name(Kind kind, const char* path, Names names, Work work) {
    const std::lock_guard lock(shim().mutex);
    struct stat status {};
    const bool was_there = ::lstat(path, &status) == 0;
    const int result = work();
    if (result == 0 && was_there && !S_ISDIR(status.st_mode)) note(kind, status.st_ino, 0, names);
    return result;
}

}  // namespace

extern "C" {

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_path(path, flags, mode);
}

int open(const char* path, int flags, ...) __attribute__((alias("open64")));

int close(int descriptor) {
    static const auto close_ = real<int (*)(int)>("close");
    if (inode_of(descriptor) != 0) shim().inodes[static_cast<std::size_t>(descriptor)] = 0;
    return close_(descriptor);
}

ssize_t pwrite64(int descriptor, const void* from, std::size_t bytes, off64_t offset) {
    return write_at(descriptor, from, bytes, offset);
}

ssize_t write(int descriptor, const void* from, std::size_t bytes) {
    return write_at(descriptor, from, bytes, -1);
}

/// Part by part, as far as it goes.
ssize_t writev(int descriptor, const iovec* parts, int count) {
    static const auto writev_ = real<ssize_t (*)(int, const iovec*, int)>("writev");
    if (inode_of(descriptor) == 0) return writev_(descriptor, parts, count);
    ssize_t sum = 0;
    for (int i = 0; i < count; ++i) {
        const ssize_t done = write_at(descriptor, parts[i].iov_base, parts[i].iov_len, -1);
        if (done < 0) return sum > 0 ? sum : -1;
        sum += done;
        if (static_cast<std::size_t>(done) < parts[i].iov_len) break;
    }
    return sum;
}

int fsync(int descriptor) { return sync_with("fsync", descriptor); }

int fdatasync(int descriptor) { return sync_with("fdatasync", descriptor); }

int ftruncate64(int descriptor, off64_t size) noexcept {
    static const auto ftruncate_ = real<int (*)(int, off64_t)>("ftruncate64");
    const std::uint64_t inode = inode_of(descriptor);
    if (inode == 0) return ftruncate_(descriptor, size);
    if (must_fail(truncation)) return -1;
    const std::lock_guard lock(shim().mutex);
    const int result = ftruncate_(descriptor, size);
    if (result == 0) note(Kind::truncate, inode, static_cast<std::uint64_t>(size), {});
    return result;
}

int unlink(const char* path) noexcept {
    static const auto unlink_ = real<int (*)(const char*)>("unlink");
    const char* const name = below(path);
    if (name == nullptr) return unlink_(path);
    return change_name(Kind::erase, path, {name}, [&] { return unlink_(path); });
}

int remove(const char* path) noexcept {
    static const auto remove_ = real<int (*)(const char*)>("remove");
    const char* const name = below(path);
    if (name == nullptr) return remove_(path);
    return change_name(Kind::erase, path, {name}, [&] { return remove_(path); });
}

int rename(const char* from, const char* to) noexcept {
    static const auto rename_ = real<int (*)(const char*, const char*)>("rename");
    const char* const first = below(from);
    const char* const second = below(to);
    if (first == nullptr || second == nullptr) return rename_(from, to);
    return change_name(Kind::rename, from, {first, second}, [&] { return rename_(from, to); });
}

}  // extern "C"
