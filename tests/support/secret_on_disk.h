#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fanfare::test {

/// A file with a name of its own that goes with the object.
class SecretOnDisk {
  public:
    explicit SecretOnDisk(std::string_view text) {
        static int made = 0;
        path_ = std::filesystem::path(testing::TempDir()) /
                ("secret-" + std::to_string(getpid()) + "-" + std::to_string(++made));
        write(text);
    }
    ~SecretOnDisk() { remove(); }
    SecretOnDisk(const SecretOnDisk&) = delete;
    SecretOnDisk& operator=(const SecretOnDisk&) = delete;

    void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

}  // namespace fanfare::test
