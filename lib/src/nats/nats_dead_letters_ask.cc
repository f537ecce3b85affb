// What is asked of dead letters, or done with them, on the connection's loop.
#include <algorithm>
#include <utility>

#include "nats/letter_codec.h"
#include "nats/nats_dead_letters_impl.h"

namespace fanfare {
namespace {

Error trouble(const JsError& error) {
    return Error("the dead letters cannot be got at: " + error.text());
}

/// Of those that are not told by the subject already.
bool is_wanted(const StoredLetter& letter, const LetterFilter& filter) {
    if (filter.endpoint && letter.endpoint != *filter.endpoint) return false;
    if (filter.reason && letter.reason != *filter.reason) return false;
    return !filter.since || letter.given_up_at >= *filter.since;
}

}  // namespace

/// Looks at `width` places from `from` on at once: where letters lie close to each other, each
/// look finds another one. All that is there up to the last one found is among them.
awaitable<Result<NatsDeadLetters::Impl::Found>> NatsDeadLetters::Impl::look_for(std::string subject,
                                                                                std::uint64_t from,
                                                                                std::size_t width) {
    const auto answers = std::make_shared<Answers<JsStored>>(executor(), width);
    for (std::size_t i = 0; i < width; ++i) {
        JsWhich which;
        which.seq = from + i;
        which.next_of = subject;
        js_.get(stream_, which, Answers<JsStored>::to(answers, i));
    }
    co_await answers->arrived.wait();
    Found found;
    for (std::optional<JsResult<JsStored>>& result : answers->results) {
        if (result->has_error() && !result->error().is_not_found()) {
            co_return trouble(result->error());
        }
        if (result->has_error()) {
            found.is_end = true;
            continue;
        }
        const bool is_known = !found.letters.empty() && found.letters.back().seq >= (*result)->seq;
        if (!is_known) found.letters.push_back(std::move(**result));
    }
    co_return found;
}

awaitable<Result<std::vector<StoredLetter>>> NatsDeadLetters::Impl::read(std::shared_ptr<Impl> self,
                                                                         LetterRange range) {
    const bool is_one = range.filter.id.has_value();
    awaitable<Result<std::vector<StoredLetter>>> reading =
        is_one ? self->read_one(std::move(range)) : self->scan(std::move(range));
    Result<std::vector<StoredLetter>> letters = co_await std::move(reading);
    co_return letters;
}

awaitable<Result<std::vector<StoredLetter>>> NatsDeadLetters::Impl::read_one(LetterRange range) {
    std::vector<StoredLetter> letters;
    const std::int64_t id = *range.filter.id;
    if (id <= range.after || id > range.until || range.letters_max == 0) co_return letters;
    const auto answer = std::make_shared<Answers<JsStored>>(executor(), 1);
    JsWhich which;
    which.seq = static_cast<std::uint64_t>(id);
    js_.get(stream_, which, Answers<JsStored>::to(answer, 0));
    co_await answer->arrived.wait();
    const JsResult<JsStored>& result = *answer->results.front();
    if (result.has_error() && result.error().is_not_found()) co_return letters;
    if (result.has_error()) co_return trouble(result.error());
    StoredLetter letter = letter_of(*result, range.with_payload);
    if (is_wanted(letter, range.filter)) letters.push_back(std::move(letter));
    co_return letters;
}

awaitable<Result<std::vector<StoredLetter>>> NatsDeadLetters::Impl::scan(LetterRange range) {
    const LetterFilter& filter = range.filter;
    const std::string subject = filter.endpoint ? subject_of(*filter.endpoint) : all_subjects();
    const TimePoint deadline = connection_.clock().now() + scan_limit;
    std::vector<StoredLetter> letters;
    std::size_t payload_bytes = 0;
    std::size_t width = 1;
    auto from = static_cast<std::uint64_t>(range.after) + 1;
    while (letters.size() < range.letters_max && from <= static_cast<std::uint64_t>(range.until)) {
        if (connection_.clock().now() > deadline) {
            co_return Error("it takes too long to look at all dead letters; ask for one endpoint");
        }
        const std::size_t left = range.letters_max - letters.size();
        const Result<Found> found = co_await look_for(subject, from, std::min(width, left));
        if (found.has_error()) co_return found.error();
        for (const JsStored& stored : found->letters) {
            if (stored.seq > static_cast<std::uint64_t>(range.until)) co_return letters;
            StoredLetter letter = letter_of(stored, range.with_payload);
            if (!is_wanted(letter, filter)) continue;
            if (range.with_payload) payload_bytes += letter.payload.size();
            if (!letters.empty() && payload_bytes > range.payload_bytes_max) co_return letters;
            letters.push_back(std::move(letter));
        }
        if (found->is_end) break;
        const bool is_dense = found->letters.size() >= std::min(width, left);
        width = is_dense ? std::min(2 * width, width_max) : found->letters.size();
        from = found->letters.back().seq + 1;
    }
    co_return letters;
}

awaitable<Result<std::int64_t>> NatsDeadLetters::Impl::last_id(std::shared_ptr<Impl> self) {
    const auto answer = std::make_shared<Answers<JsStreamInfo>>(self->executor(), 1);
    self->js_.stream_info(self->stream_, Answers<JsStreamInfo>::to(answer, 0));
    co_await answer->arrived.wait();
    const JsResult<JsStreamInfo>& result = *answer->results.front();
    if (result.has_error() && result.error().is_not_found()) co_return std::int64_t{0};
    if (result.has_error()) co_return trouble(result.error());
    self->note(*result);
    co_return static_cast<std::int64_t>(result->last_seq);
}

awaitable<Result<std::uint64_t>> NatsDeadLetters::Impl::purge(std::shared_ptr<Impl> self,
                                                              LetterFilter filter) {
    const bool is_one = filter.id.has_value() && !filter.endpoint && !filter.reason;
    const bool is_by_letter = filter.id || filter.reason || filter.since;
    const std::string subject =
        filter.endpoint ? self->subject_of(*filter.endpoint) : self->all_subjects();
    Result<std::uint64_t> purged = std::uint64_t{0};
    if (is_one && !filter.since) {
        purged = co_await self->purge_one(*filter.id);
    } else if (is_by_letter || self->is_any_replaying()) {
        purged = co_await self->purge_each(std::move(filter));
    } else {
        purged = co_await self->purge_subject(subject);
    }
    if (purged.has_value()) {
        self->purged_ += *purged;
        self->kept_letters_ -= std::min(self->kept_letters_.load(), *purged);
    }
    self->look();
    co_return purged;
}

awaitable<Result<std::uint64_t>> NatsDeadLetters::Impl::purge_one(std::int64_t letter) {
    StoredLetter one;
    one.id = letter;
    const std::vector<StoredLetter> letters = {one};
    Result<std::uint64_t> erased = co_await erase_all(letters);
    co_return erased;
}

awaitable<Result<std::uint64_t>> NatsDeadLetters::Impl::purge_subject(std::string subject) {
    const auto answer = std::make_shared<Answers<std::uint64_t>>(executor(), 1);
    JsPurge what;
    what.subject = std::move(subject);
    js_.purge(stream_, what, Answers<std::uint64_t>::to(answer, 0));
    co_await answer->arrived.wait();
    const JsResult<std::uint64_t>& result = *answer->results.front();
    if (result.has_error() && result.error().is_not_found()) co_return std::uint64_t{0};
    if (result.has_error()) co_return trouble(result.error());
    co_return *result;
}

awaitable<Result<std::uint64_t>> NatsDeadLetters::Impl::purge_each(LetterFilter filter) {
    const Result<std::int64_t> last = co_await last_id(shared_from_this());
    if (last.has_error()) co_return last.error();
    LetterRange range;
    range.filter = std::move(filter);
    range.until = *last;  // what comes meanwhile is not meant
    std::uint64_t purged = 0;
    for (;;) {
        const Result<std::vector<StoredLetter>> letters = co_await read(shared_from_this(), range);
        if (letters.has_error()) co_return letters.error();
        if (letters->empty()) break;
        const Result<std::uint64_t> erased = co_await erase_all(*letters);
        if (erased.has_error()) co_return erased.error();
        purged += *erased;
        range.after = letters->back().id;
    }
    co_return purged;
}

/// All but those whose events are queued again; how many there were.
awaitable<Result<std::uint64_t>> NatsDeadLetters::Impl::erase_all(
    const std::vector<StoredLetter>& letters) {
    struct Erasing {
        explicit Erasing(const Executor& executor) : done(executor) {}
        Wakeup done;
        std::size_t left = 1;
        std::uint64_t erased = 0;
        bool is_unsure = false;

        void end(std::optional<bool> is_erased) {
            if (is_erased == true) ++erased;
            if (!is_erased) is_unsure = true;
            if (--left == 0) done.notify();
        }
    };
    const auto erasing = std::make_shared<Erasing>(executor());
    for (const StoredLetter& letter : letters) {
        if (is_replaying(letter.id)) continue;
        ++erasing->left;
        std::function<void(std::optional<bool>)> on_erased =
            [erasing](std::optional<bool> is_erased) { erasing->end(is_erased); };
        erase(static_cast<std::uint64_t>(letter.id), std::move(on_erased));
    }
    erasing->end(false);
    co_await erasing->done.wait();
    if (erasing->is_unsure) {
        co_return Error("the dead letters cannot be got at: not all of them are gone");
    }
    co_return erasing->erased;
}

}  // namespace fanfare
