#include "store/seq_ranges.h"

#include <algorithm>

namespace fanfare {
namespace {

void note(SeqRanges::Touched* touched, std::uint64_t first) {
    if (touched != nullptr) touched->push_back(first);
}

template <class Runs>
auto run_at(Runs& runs, std::uint64_t seq) {
    return std::lower_bound(
        runs.begin(), runs.end(), seq,
        [](const SeqRange& run, std::uint64_t wanted) { return run.last < wanted; });
}

}  // namespace

SeqRanges::Iterator SeqRanges::find(std::uint64_t seq) const noexcept { return run_at(runs_, seq); }

bool SeqRanges::contains(std::uint64_t seq) const noexcept {
    const Iterator run = find(seq);
    return run != end() && run->first <= seq;
}

void SeqRanges::clear() noexcept {
    runs_.clear();
    count_ = 0;
}

void SeqRanges::add(SeqRange range, Touched* touched) {
    if (runs_.empty() || runs_.back().last + 1 < range.first) {
        runs_.push_back(range);
        count_ += range.count();
        note(touched, range.first);
        return;
    }
    // From the run that ends right before the range on, if there is one.
    const auto begin = run_at(runs_, range.first == 0 ? 0 : range.first - 1);
    auto end = begin;
    for (; end != runs_.end() && end->first <= range.last + 1; ++end) {
        range.first = std::min(range.first, end->first);
        range.last = std::max(range.last, end->last);
        count_ -= end->count();
        note(touched, end->first);
    }
    count_ += range.count();
    note(touched, range.first);
    if (begin == end) {
        runs_.insert(begin, range);
    } else {
        *begin = range;
        runs_.erase(begin + 1, end);
    }
}

void SeqRanges::add(const SeqRanges& other) {
    for (const SeqRange& run : other) add(run);
}

void SeqRanges::split(Runs::iterator run, SeqRange hole, Touched* touched) {
    const SeqRange right{hole.last + 1, run->last};
    run->last = hole.first - 1;
    count_ -= hole.count();
    note(touched, run->first);
    note(touched, right.first);
    runs_.insert(run + 1, right);
}

void SeqRanges::remove(SeqRange range, Touched* touched) {
    auto run = run_at(runs_, range.first);
    if (run == runs_.end() || run->first > range.last) return;
    if (run->first < range.first) {
        if (run->last > range.last) return split(run, range, touched);
        count_ -= run->last - range.first + 1;
        run->last = range.first - 1;
        note(touched, run->first);
        ++run;
    }
    const auto begin = run;
    for (; run != runs_.end() && run->last <= range.last; ++run) {
        count_ -= run->count();
        note(touched, run->first);
    }
    run = runs_.erase(begin, run);
    if (run == runs_.end() || run->first > range.last) return;
    note(touched, run->first);
    count_ -= range.last - run->first + 1;
    run->first = range.last + 1;
    note(touched, run->first);
}

SeqRanges SeqRanges::common(SeqRange range) const {
    SeqRanges result;
    for (Iterator run = find(range.first); run != end() && run->first <= range.last; ++run) {
        result.add(SeqRange{std::max(run->first, range.first), std::min(run->last, range.last)});
    }
    return result;
}

SeqRanges SeqRanges::minus(const SeqRanges& other) const {
    SeqRanges result;
    for (SeqRange rest : runs_) {
        bool has_rest = true;
        for (Iterator hole = other.find(rest.first);
             has_rest && hole != other.end() && hole->first <= rest.last; ++hole) {
            if (hole->first > rest.first) result.add(SeqRange{rest.first, hole->first - 1});
            has_rest = hole->last < rest.last;
            rest.first = hole->last + 1;
        }
        if (has_rest) result.add(rest);
    }
    return result;
}

}  // namespace fanfare
