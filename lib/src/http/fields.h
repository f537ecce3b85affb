#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace fanfare {

/// The names that something is asked for by, so that looking them up compares no text.
enum class FieldName : std::uint8_t {
    authorization,
    ce_specversion,
    connection,
    content_length,
    content_type,
    expect,
    host,
    idempotency_key,
    proxy_connection,
    traceparent,
    tracestate,
    transfer_encoding,
    webhook_id,
    other,
};

/// Which name `text` is; names compare without case.
FieldName recognise_field_name(std::string_view text) noexcept;

/// A field of a head, as views into its text.
struct Field {
    Field(std::string_view name_text, std::string_view value_text) noexcept
        : name(name_text), value(value_text), known_name(recognise_field_name(name_text)) {}

    std::string_view name;  ///< as sent
    std::string_view value;
    FieldName known_name;
};

/// The fields of a head, in order. Most that is asked for is not there, so which of the known names
/// are there, and which more than once, is noted as bits.
class FieldViews {
  public:
    FieldViews() = default;
    FieldViews(std::initializer_list<Field> fields) {
        for (const Field& field : fields) emplace_back(field.name, field.value);
    }

    void emplace_back(std::string_view name, std::string_view value) {
        const std::uint32_t bit = bit_of(fields_.emplace_back(name, value).known_name);
        repeated_ |= there_ & bit;
        there_ |= bit;
    }
    /// Keeps memory for `kept_max` fields at most.
    void clear(std::size_t kept_max) noexcept;

    /// `name` is not `other` in these three.
    bool has(FieldName name) const noexcept { return (there_ & bit_of(name)) != 0; }
    bool has_many(FieldName name) const noexcept { return (repeated_ & bit_of(name)) != 0; }
    /// The first field of that name, or nothing.
    std::optional<std::string_view> find(FieldName name) const noexcept;

    /// By any name, which is compared with every field's.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::size_t count(std::string_view name) const noexcept;

    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

  private:
    static constexpr std::uint32_t bit_of(FieldName name) noexcept {
        return std::uint32_t{1} << static_cast<std::uint32_t>(name);
    }

    std::vector<Field> fields_;
    std::uint32_t there_ = 0;
    std::uint32_t repeated_ = 0;
};

/// Compares ASCII without case.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

}  // namespace fanfare
