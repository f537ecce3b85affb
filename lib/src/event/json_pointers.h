#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The first reference token of a JSON pointer (RFC 6901) that begins with `/`; it is removed from
/// the pointer.
std::string take_token(std::string_view& pointer);

/// What an array index in a pointer says; nothing if it is none (RFC 6901: no leading zeros).
std::optional<std::size_t> index_of(std::string_view token);

/// JSON pointers that are followed together, in one walk.
class JsonPointers {
  public:
    /// What is known of the pointers that lead through one place.
    struct Node {
        std::vector<std::size_t> ending;  ///< numbers of the pointers that end here
        std::map<std::string, Node, std::less<>> children;  ///< by reference token
        /// The children's tokens that can be indices of an array.
        std::map<std::size_t, std::string> indices;
    };

    /// Gives the pointer the next number, from 0 on. What is no pointer leads nowhere.
    std::size_t add(std::string_view pointer);

    std::size_t size() const noexcept { return size_; }
    const Node& root() const noexcept { return root_; }

  private:
    Node root_;
    std::size_t size_ = 0;
};

}  // namespace fanfare
