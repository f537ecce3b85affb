#pragma once

#include <string>

#include "fanfare/error.h"

namespace fanfare {

/// Holds a folder for one process: a second one is refused, and when the first ends, however it
/// ends, the folder is free again. Moves, never copies.
class DirLock {
  public:
    /// Makes the folder, for its owner only, if it is not there. `file` is the name of the lock.
    static Result<DirLock> take(const std::string& dir, const std::string& file);

    DirLock() = default;
    DirLock(DirLock&& other) noexcept;
    DirLock& operator=(DirLock&& other) noexcept;
    ~DirLock();

  private:
    explicit DirLock(int descriptor) noexcept : descriptor_(descriptor) {}

    int descriptor_ = -1;
};

}  // namespace fanfare
