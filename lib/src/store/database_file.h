#pragma once

#include <string>

#include "fanfare/error.h"

namespace fanfare {

/// Makes the file, before SQLite would, so that nobody else can ever read it.
Result<void> make_private_file(const std::string& file);

/// A database and what belongs to it get another name; what bore that name before is lost.
Result<void> move_database(const std::string& from, const std::string& to);

/// Removes a database and what belongs to it, as far as it is there.
void remove_database(const std::string& file) noexcept;

/// Has the names in the folder of `file` written to the disk.
Result<void> sync_folder_of(const std::string& file);

}  // namespace fanfare
