#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/action_groups.h"
#include "fanfare/error.h"
#include "fanfare/history.h"
#include "server/admin/query.h"

namespace fanfare {

/// Which records a reader of history or streams wants: those for which every list that is there
/// names one that fits.
class RecordFilter {
  public:
    static constexpr std::size_t items_max = 100;  ///< of a list

    /// The parameters `action`, `source` and `target`, comma lists. Of actions, names of groups
    /// stand for what is in them. A target is the event's `/target/repository`, or its `subject`
    /// if it has none; `*` and `?` fit as in a glob. An Error begins with the parameter's name.
    static Result<RecordFilter> parse(const Query& query, const ActionGroups& groups);

    bool wants(const HistoryRecord& record) const;

    bool wants_all() const noexcept { return text_.empty(); }

    /// As it was given, `action=@write&source=http`; empty: all are wanted.
    const std::string& text() const noexcept { return text_; }

  private:
    std::vector<std::string> actions_;
    std::vector<std::string> sources_;
    std::vector<std::string> targets_;
    std::string text_;
};

}  // namespace fanfare
