#pragma once

#include <boost/container/deque.hpp>
#include <cstdint>
#include <vector>

namespace fanfare {

/// Consecutive seqs, both ends included.
struct SeqRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    std::uint64_t count() const noexcept { return last - first + 1; }
    bool operator==(const SeqRange&) const = default;
};

/// A set of seqs, kept as its runs: 16 bytes per run, however long that is. Adding at the end and
/// removing at the front costs the same whatever the size; elsewhere, what lies between there and
/// the nearer end is moved. Seqs are below 2^63.
class SeqRanges {
  public:
    /// Unlike the one of the standard library it allocates nothing while it is empty.
    using Runs = boost::container::deque<SeqRange>;
    using Iterator = Runs::const_iterator;
    /// The first seqs of runs that are new, have changed or are no more.
    using Touched = std::vector<std::uint64_t>;

    SeqRanges() = default;
    explicit SeqRanges(SeqRange range) { add(range); }

    /// What is there already does not matter.
    void add(SeqRange range, Touched* touched = nullptr);
    void add(std::uint64_t seq) { add(SeqRange{seq, seq}); }
    void add(const SeqRanges& other);

    /// What is not there does not matter.
    void remove(SeqRange range, Touched* touched = nullptr);
    void remove(std::uint64_t seq) { remove(SeqRange{seq, seq}); }
    void clear() noexcept;

    /// What is in both.
    SeqRanges common(SeqRange range) const;
    /// What is not in `other`. Costs a search there per run, and what overlaps.
    SeqRanges minus(const SeqRanges& other) const;

    bool contains(std::uint64_t seq) const noexcept;
    bool is_empty() const noexcept { return runs_.empty(); }
    std::uint64_t count() const noexcept { return count_; }
    /// Only if there is one.
    std::uint64_t first() const noexcept { return runs_.front().first; }
    std::uint64_t last() const noexcept { return runs_.back().last; }

    /// The runs, in order; no two of them touch.
    Iterator begin() const noexcept { return runs_.begin(); }
    Iterator end() const noexcept { return runs_.end(); }
    std::size_t run_count() const noexcept { return runs_.size(); }
    /// The first run that has `seq` or what comes after it.
    Iterator find(std::uint64_t seq) const noexcept;

    bool operator==(const SeqRanges& other) const noexcept { return runs_ == other.runs_; }

  private:
    void split(Runs::iterator run, SeqRange hole, Touched* touched);

    Runs runs_;
    std::uint64_t count_ = 0;
};

}  // namespace fanfare
