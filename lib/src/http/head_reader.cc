#include "http/head_reader.h"

namespace fanfare {

HeadReader::Step HeadReader::read(std::string_view bytes, std::size_t size_max) {
    const std::size_t before = text_.size();
    // One byte over the limit is enough to see that it is passed.
    bytes = bytes.substr(0, size_max + 1 - before);
    if (before > 0) text_.append(bytes);
    const HeadScan scan = scanner_.scan(before > 0 ? text_ : bytes);

    Step step;
    if (scan.state == HeadScan::State::bad) {
        step.state = Step::State::bad;
        step.problem = scan.problem;
        return step;
    }
    const bool is_complete = scan.state == HeadScan::State::complete;
    const std::size_t size = is_complete ? scan.size : before + bytes.size();
    if (size > size_max) {
        step.state = Step::State::too_large;
        return step;
    }
    if (before == 0) {
        text_.assign(bytes.data(), size);
    } else {
        text_.resize(size);
    }
    step.consumed = size - before;
    if (is_complete) step.state = Step::State::complete;
    return step;
}

void HeadReader::list_fields(FieldViews& fields) const {
    for (const HeadParts::Field& field : scanner_.parts().fields) {
        fields.emplace_back(field.name.in(text_), field.value.in(text_));
    }
}

void HeadReader::clear() noexcept {
    text_.clear();
    // Assigning an empty string would keep the memory.
    if (text_.capacity() > bytes_kept_max) std::string().swap(text_);
    scanner_.reset(fields_kept_max);
}

}  // namespace fanfare
