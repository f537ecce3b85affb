#include "store/event_table.h"

#include <array>
#include <cstring>
#include <functional>

#include "base/crc32c.h"
#include "store/sqlite_time.h"

namespace fanfare {
namespace {

/// Damaged events that are kept for an operator to look at; the oldest go first.
constexpr std::int64_t put_aside_max = 1000;

constexpr std::string_view event_columns = "seq, id, received, type, fields, crc, payload";

template <class Number>
void append_number(std::string& text, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i) {
        text += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
    }
}

/// The texts beside the id, each behind its length.
std::string encode_fields(const Event& event) {
    std::string result;
    for (const std::string_view text :
         {event.action(), event.target_media_type(), event.traceparent(), event.tracestate()}) {
        append_number(result, static_cast<std::uint32_t>(text.size()));
        result += text;
    }
    return result;
}

std::string_view take_field(std::string_view& rest) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size) return rest = {};
    for (std::size_t i = 0; i < sizeof size; ++i) {
        size |= static_cast<std::uint32_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
    }
    rest.remove_prefix(sizeof size);
    const std::string_view field = rest.substr(0, size);
    rest.remove_prefix(field.size());
    return field;
}

/// What stands for a type in the file; never changes.
std::int64_t code_of(MediaType type) {
    switch (type) {
        case MediaType::json:
            return 0;
        case MediaType::registry_v1:
            return 1;
        case MediaType::registry_v2:
            return 2;
        case MediaType::cloudevents:
            return 3;
        case MediaType::meta:
            return 4;
    }
    return 0;
}

MediaType type_of(std::int64_t code) {
    static constexpr std::array types = {MediaType::json, MediaType::registry_v1,
                                         MediaType::registry_v2, MediaType::cloudevents,
                                         MediaType::meta};
    for (const MediaType type : types) {
        if (code_of(type) == code) return type;
    }
    return MediaType::json;
}

/// A row as it lies in the file.
struct Row {
    std::uint64_t seq = 0;
    std::string_view id;
    std::int64_t received = 0;
    std::int64_t type = 0;
    std::string_view fields;
    std::string_view payload;

    std::int64_t crc() const {
        std::string head;
        append_number(head, seq);
        append_number(head, static_cast<std::uint64_t>(received));
        append_number(head, static_cast<std::uint64_t>(type));
        append_number(head, static_cast<std::uint64_t>(id.size()));
        append_number(head, static_cast<std::uint64_t>(fields.size()));
        return crc32c(payload, crc32c(fields, crc32c(id, crc32c(head))));
    }
};

Row row_in(const Statement& statement) {
    return {static_cast<std::uint64_t>(statement.number(0)),
            statement.text(1),
            statement.number(2),
            statement.number(3),
            statement.text(4),
            statement.text(6)};
}

bool is_intact(const Statement& statement) {
    return statement.number(5) == row_in(statement).crc();
}

StoredEvent event_in(const Statement& statement) {
    const Row row = row_in(statement);
    StoredEvent result;
    result.seq = row.seq;
    if (!is_intact(statement)) return result;
    std::string_view rest = row.fields;
    EventFields fields;
    fields.id = row.id;
    fields.action = take_field(rest);
    fields.target_media_type = take_field(rest);
    fields.traceparent = take_field(rest);
    fields.tracestate = take_field(rest);
    result.accepted_at = time_of(row.received);
    result.event = Event::make(row.payload, fields, type_of(row.type));
    return result;
}

bool is_enough(const StoredPage& page, const PageLimits& limits) {
    return !page.events.empty() &&
           (page.events.size() >= limits.events_max || page.payload_bytes >= limits.bytes_max);
}

}  // namespace

EventTable::EventTable(Database& database)
    : database_(database),
      insert_(database, "INSERT INTO event (" + std::string(event_columns) +
                            ") VALUES (?, ?, ?, ?, ?, ?, ?)"),
      select_(database, "SELECT " + std::string(event_columns) +
                            " FROM event WHERE seq >= ? AND seq <= ? ORDER BY seq"),
      erase_(database, "DELETE FROM event WHERE seq >= ? AND seq <= ?") {}

std::uint64_t EventTable::bytes_of(const Event& event) noexcept {
    return row_overhead_bytes + event.payload().size() + event.id().size() + event.action().size() +
           event.target_media_type().size() + event.traceparent().size() +
           event.tracestate().size();
}

void EventTable::insert(const NewEvent& event) {
    const std::string fields = encode_fields(*event.event);
    const Row row{event.seq,
                  event.event->id(),
                  number_of(event.accepted_at),
                  code_of(event.event->type()),
                  fields,
                  event.event->payload()};
    insert_.bind(to_sqlite(row.seq))
        .bind(row.id)
        .bind(row.received)
        .bind(row.type)
        .bind_blob(row.fields)
        .bind(row.crc())
        .bind_blob(row.payload)
        .run();
}

bool EventTable::read(SeqRange seqs, const PageLimits& limits, StoredPage& page) {
    const std::size_t before = page.events.size();
    try {
        return read_rows(seqs, limits, page);
    } catch (const SqliteError& error) {
        if (!error.is_damage()) throw;
    }
    // The way to some of them is damaged: each is looked for by itself.
    const std::size_t read = page.events.size() - before;
    for (std::uint64_t seq = seqs.first + read; seq <= seqs.last; ++seq) {
        if (is_enough(page, limits)) return false;
        read_one(seq, page);
    }
    return true;
}

bool EventTable::read_rows(SeqRange seqs, const PageLimits& limits, StoredPage& page) {
    std::uint64_t next = seqs.first;
    select_.reset();
    select_.bind(to_sqlite(seqs.first)).bind(to_sqlite(seqs.last));
    while (!is_enough(page, limits) && select_.next_row()) {
        const auto seq = static_cast<std::uint64_t>(select_.number(0));
        while (next < seq && !is_enough(page, limits)) add_damaged(next++, page);
        if (is_enough(page, limits)) break;
        StoredEvent event = event_in(select_);
        if (event.event == nullptr) {
            add_damaged(seq, page);
        } else {
            page.payload_bytes += event.event->payload().size();
            page.events.push_back(std::move(event));
        }
        next = seq + 1;
    }
    const bool is_cut = is_enough(page, limits);
    select_.reset();
    if (!is_cut) {
        while (next <= seqs.last && !is_enough(page, limits)) add_damaged(next++, page);
    }
    return next > seqs.last;
}

void EventTable::read_one(std::uint64_t seq, StoredPage& page) {
    try {
        PageLimits one;
        one.events_max = page.events.size() + 1;
        one.bytes_max = std::size_t(-1);
        read_rows({seq, seq}, one, page);
    } catch (const SqliteError& error) {
        if (!error.is_damage()) throw;
        add_damaged(seq, page);
    }
}

void EventTable::add_damaged(std::uint64_t seq, StoredPage& page) {
    if (damaged_.insert(seq).second) ++damaged_count_;
    StoredEvent event;
    event.seq = seq;
    page.events.push_back(std::move(event));
}

void EventTable::erase(SeqRange seqs) {
    const auto begin = damaged_.lower_bound(seqs.first);
    const auto end = damaged_.upper_bound(seqs.last);
    for (auto seq = begin; seq != end; ++seq) put_aside(*seq);
    damaged_.erase(begin, end);
    erase_.bind(to_sqlite(seqs.first)).bind(to_sqlite(seqs.last)).run();
}

void EventTable::put_aside(std::uint64_t seq) {
    const std::string names(event_columns);
    Statement copy(database_, "INSERT OR IGNORE INTO damaged (" + names + ") SELECT " + names +
                                  " FROM event WHERE seq = ?");
    copy.bind(to_sqlite(seq)).run();
    Statement trim(database_,
                   "DELETE FROM damaged WHERE seq NOT IN "
                   "(SELECT seq FROM damaged ORDER BY seq DESC LIMIT ?)");
    trim.bind(put_aside_max).run();
}

std::optional<WallTime> EventTable::accepted_at(std::uint64_t seq) {
    Statement query(database_, "SELECT received FROM event WHERE seq = ?");
    query.bind(to_sqlite(seq));
    if (!query.next_row()) return std::nullopt;
    return time_of(query.number(0));
}

void EventTable::check(const std::function<void(std::uint64_t)>& problem, SeqRanges& intact) {
    Statement query(database_, "SELECT " + std::string(event_columns) + " FROM event ORDER BY seq");
    while (query.next_row()) {
        const auto seq = static_cast<std::uint64_t>(query.number(0));
        if (is_intact(query)) {
            intact.add(seq);
        } else {
            problem(seq);
        }
    }
}

}  // namespace fanfare
