#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace fanfare::test {

inline std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The files of a directory under tests/data and all below it, by name.
inline std::vector<std::filesystem::path> data_files(const std::string& directory,
                                                     const std::string& extension) {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path root = std::filesystem::path(FANFARE_TEST_DATA) / directory;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace fanfare::test
