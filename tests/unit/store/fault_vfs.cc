#include "fault_vfs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace fanfare::test {
namespace {

namespace fs = std::filesystem;
using Kind = DiskOperation::Kind;

constexpr std::size_t sector_bytes = 512;

void put(std::string& file, std::size_t offset, std::string_view bytes) {
    if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
}

void apply(const DiskOperation& operation, DiskImage& image) {
    std::string& file = image[operation.file];
    const auto offset = static_cast<std::size_t>(operation.offset);
    if (operation.kind == Kind::write) put(file, offset, operation.bytes);
    if (operation.kind == Kind::truncate) file.resize(offset);
}

void apply_torn(const DiskOperation& operation, DiskImage& image, std::mt19937& random) {
    const std::string_view bytes = operation.bytes;
    for (std::size_t at = 0; at < bytes.size(); at += sector_bytes) {
        if (random() % 2 == 0) continue;
        put(image[operation.file], static_cast<std::size_t>(operation.offset) + at,
            bytes.substr(at, sector_bytes));
    }
}

void apply_by_chance(const DiskOperation& operation, DiskImage& image, std::mt19937& random) {
    const unsigned chance = random() % 3;
    if (chance == 0) apply(operation, image);
    if (chance == 1 && operation.kind == Kind::write) apply_torn(operation, image, random);
}

}  // namespace

DiskImage read_image(const std::string& folder) {
    DiskImage image;
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::ifstream in(entry.path(), std::ios::binary);
        image[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return image;
}

void write_image(const DiskImage& image, const std::string& folder) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const auto& [name, bytes] : image) {
        std::ofstream out(fs::path(folder) / name, std::ios::binary);
        out << bytes;
    }
}

DiskImage after_power_cut(DiskImage image, std::vector<DiskOperation> operations,
                          std::mt19937& random) {
    std::map<std::string, std::size_t> synced;  // how many operations are safe, by file
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (operations[i].kind == Kind::sync) synced[operations[i].file] = i;
    }
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const DiskOperation& operation = operations[i];
        const auto safe = synced.find(operation.file);
        if (safe != synced.end() && i < safe->second) {
            apply(operation, image);
        } else {
            apply_by_chance(operation, image, random);
        }
    }
    return image;
}

/// Lies before the real file in the memory that SQLite gives.
struct FaultVfs::File {
    sqlite3_file base;
    FaultVfs* vfs;
    std::string* name;

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
};

struct FaultVfs::Methods {
    static int close(sqlite3_file* file) {
        delete File::of(file).name;
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xClose(real);
    }
    static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xRead(real, to, size, offset);
    }
    static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
        sqlite3_file* const real = File::of(file).real();
        const std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
        return File::of(file).vfs->perform({Kind::write, *File::of(file).name, offset, bytes}, [&] {
            return real->pMethods->xWrite(real, from, size, offset);
        });
    }
    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        sqlite3_file* const real = File::of(file).real();
        return File::of(file).vfs->perform({Kind::truncate, *File::of(file).name, size, ""},
                                           [&] { return real->pMethods->xTruncate(real, size); });
    }
    static int sync(sqlite3_file* file, int flags) {
        sqlite3_file* const real = File::of(file).real();
        return File::of(file).vfs->perform({Kind::sync, *File::of(file).name, 0, ""},
                                           [&] { return real->pMethods->xSync(real, flags); });
    }
    static int size(sqlite3_file* file, sqlite3_int64* size) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xFileSize(real, size);
    }
    static int lock(sqlite3_file* file, int level) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xLock(real, level);
    }
    static int unlock(sqlite3_file* file, int level) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xUnlock(real, level);
    }
    static int is_reserved(sqlite3_file* file, int* out) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xCheckReservedLock(real, out);
    }
    static int control(sqlite3_file* file, int operation, void* argument) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xFileControl(real, operation, argument);
    }
    static int sector_size(sqlite3_file* file) {
        sqlite3_file* const real = File::of(file).real();
        return real->pMethods->xSectorSize(real);
    }
    // Nothing is promised: sectors are written or torn, in any order.
    static int characteristics(sqlite3_file* /*file*/) { return 0; }

    static const sqlite3_io_methods* all() {
        static const sqlite3_io_methods methods = [] {
            sqlite3_io_methods result{};
            result.iVersion = 1;
            result.xClose = close;
            result.xRead = read;
            result.xWrite = write;
            result.xTruncate = truncate;
            result.xSync = sync;
            result.xFileSize = size;
            result.xLock = lock;
            result.xUnlock = unlock;
            result.xCheckReservedLock = is_reserved;
            result.xFileControl = control;
            result.xSectorSize = sector_size;
            result.xDeviceCharacteristics = characteristics;
            return result;
        }();
        return &methods;
    }
};

FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.zName = name_.c_str();
    vfs_.pNext = nullptr;
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

int FaultVfs::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    auto* const self = static_cast<FaultVfs*>(vfs->pAppData);
    File& opened = File::of(file);
    opened.base.pMethods = nullptr;
    const int code = self->real_->xOpen(self->real_, path, opened.real(), flags, out);
    if (code != SQLITE_OK) return code;
    opened.vfs = self;
    opened.name = new std::string(path == nullptr ? "" : fs::path(path).filename().string());
    opened.base.pMethods = Methods::all();
    return SQLITE_OK;
}

int FaultVfs::perform(DiskOperation operation, const std::function<int()>& work) {
    const int injected = fault ? fault(operation) : SQLITE_OK;
    if (injected != SQLITE_OK) return injected;
    operations.push_back(std::move(operation));
    return work();
}

}  // namespace fanfare::test
