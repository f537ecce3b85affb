#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fanfare::test {

/// A folder of its own, removed with all that is in it.
class TmpDir {
  public:
    TmpDir() {
        std::string name = std::filesystem::temp_directory_path() / "fanfare-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder");
        path_ = name;
    }
    ~TmpDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TmpDir(const TmpDir&) = delete;
    TmpDir& operator=(const TmpDir&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace fanfare::test
