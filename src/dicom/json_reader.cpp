#include "dicom/json_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "dicom/base64.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/json_rows.h"
#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

using json_rows::Row;
using json_rows::Table;
using json_rows::Value;

constexpr std::array<std::string_view, 3> kGroups{"Alphabetic", "Ideographic", "Phonetic"};

std::optional<Tag> tag_of(std::string_view key) {
    if (key.size() != 8) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : key) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        value = (value << 4) | static_cast<std::uint32_t>(digit);
    }
    return Tag(value);
}

// Takes the events of the JSON parser and fills the table; false from any of them ends the parsing.
class Handler {
public:
    Handler(Table& table, const JsonReadOptions& options) : table_(table), options_(options) {}

    std::optional<Error> error;

    bool null() { return scalar({}); }
    bool boolean(bool) { return fail(Errc::malformed, "a truth value, which no VR has"); }
    bool number_integer(std::int64_t number) {
        return scalar({Value::Kind::signed_integer, static_cast<std::uint64_t>(number), 0});
    }
    bool number_unsigned(std::uint64_t number) { return scalar({Value::Kind::unsigned_integer, number, 0}); }
    bool number_float(double, const std::string& spelled) { return text_scalar(Value::Kind::real, spelled); }
    bool string(std::string& text) { return text_scalar(Value::Kind::text, text); }
    bool binary(std::vector<std::uint8_t>&) { return fail(Errc::malformed, "bytes, which JSON has not"); }

    bool start_object(std::size_t) {
        if (frames_.empty() || frames_.back().kind == Frame::Kind::list) return open(Frame::Kind::elements);
        Frame& frame = frames_.back();
        if (frame.kind == Frame::Kind::elements && frame.has_key) {
            frame.has_key = false;
            const Tag tag = frame.tag;
            if (!open(Frame::Kind::attribute)) return false;
            table_.rows.back().tag = tag;
            return true;
        }
        if (frame.kind == Frame::Kind::values) return start_member(frame);
        return fail(Errc::malformed, "an object where a value is expected");
    }

    bool start_array(std::size_t) {
        if (frames_.empty()) {
            frames_.push_back({Frame::Kind::list});
            return true;
        }
        Frame& frame = frames_.back();
        if (frame.kind != Frame::Kind::attribute || frame.member != Frame::Member::value) {
            return fail(Errc::malformed, "an array where none can be");
        }
        const auto row = frame.row;
        frames_.push_back({Frame::Kind::values, row});
        return true;
    }

    bool key(std::string& name) {
        Frame& frame = frames_.back();
        if (frame.kind == Frame::Kind::attribute) return attribute_key(frame, name);
        if (frame.kind == Frame::Kind::elements) {
            const auto group = std::find(kGroups.begin(), kGroups.end(), name);
            if (group != kGroups.end()) return name_key(frame, group);
            const auto tag = tag_of(name);
            if (table_.rows[frame.row].is_name || !tag) {
                return fail(Errc::malformed, "a key that is no tag of eight hexadecimal digits");
            }
            frame.tag = *tag;
            frame.has_key = true;
            return true;
        }
        return fail(Errc::malformed, "a key where none can be");
    }

    bool end_object() {
        const Frame& frame = frames_.back();
        Row& row = table_.rows[frame.row];
        row.subtree = static_cast<std::uint32_t>(table_.rows.size() - 1 - frame.row);
        if (frame.kind == Frame::Kind::attribute && row.vr == Vr::none) {
            return fail(Errc::malformed, "an attribute without vr");
        }
        if (frame.kind == Frame::Kind::elements) --depth_;
        frames_.pop_back();
        return true;
    }

    bool end_array() {
        frames_.pop_back();
        return true;
    }

    // What the exception says may quote the text: only the place is used.
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        if (!error) error.emplace(Errc::malformed, "not JSON, or a number that no double can hold", position);
        return false;
    }

private:
    struct Frame {
        enum class Kind : std::uint8_t { list, elements, attribute, values };
        enum class Member : std::uint8_t { none, vr, value, inline_binary, bulk_data_uri };
        Kind kind = Kind::list;
        std::uint32_t row = 0;
        Member member = Member::none;
        bool has_key = false;
        std::uint8_t group = 0;     ///< of the person name that comes next
        Tag tag = {};               ///< of the attribute that comes next
        std::uint32_t members = 0;  ///< objects in the array so far
        std::uint8_t groups_seen = 0;
    };

    bool fail(Errc code, std::string_view what) {
        if (error) return false;
        std::string path;
        for (const Frame& frame : frames_) {
            if (frame.kind == Frame::Kind::attribute) path += to_string(table_.rows[frame.row].tag);
            if (frame.kind == Frame::Kind::values && frame.members != 0)
                path += fmt::format("[{}]", frame.members - 1);
        }
        error.emplace(code, path.empty() ? std::string(what) : path + ": " + std::string(what));
        return false;
    }

    bool open(Frame::Kind kind) {
        if (table_.rows.size() >= options_.max_elements)
            return fail(Errc::limit_exceeded, "too many elements");
        // The data set itself and the objects of its sequences, of which the innermost may be names.
        if (kind == Frame::Kind::elements && ++depth_ > options_.max_depth + std::size_t{2}) {
            return fail(Errc::limit_exceeded, "sequences nested too deep");
        }
        table_.rows.emplace_back();
        frames_.push_back({kind, static_cast<std::uint32_t>(table_.rows.size() - 1)});
        return true;
    }

    // An object in a "Value". Nulls before it were empty items or names.
    bool start_member(Frame& frame) {
        if (table_.rows[frame.row].content == Row::Content::scalars && !nulls_to_objects(frame)) return false;
        table_.rows[frame.row].content = Row::Content::objects;
        ++frame.members;
        return open(Frame::Kind::elements);
    }

    bool nulls_to_objects(Frame& frame) {
        const auto count = table_.rows[frame.row].count;
        for (std::uint64_t n = 0; n < count; ++n) {
            if (table_.values[table_.rows[frame.row].first + n].kind != Value::Kind::null) {
                return fail(Errc::malformed, "objects among other values");
            }
        }
        table_.rows[frame.row].count = 0;
        table_.rows[frame.row].content = Row::Content::objects;
        for (std::uint64_t n = 0; n < count; ++n) {
            if (!empty_object(frame)) return false;
        }
        return true;
    }

    bool empty_object(Frame& frame) {
        if (table_.rows.size() >= options_.max_elements)
            return fail(Errc::limit_exceeded, "too many elements");
        table_.rows.emplace_back();
        ++frame.members;
        return true;
    }

    bool attribute_key(Frame& frame, std::string_view name) {
        using Member = Frame::Member;
        const Row& row = table_.rows[frame.row];
        frame.member = name == "vr"             ? Member::vr
                       : name == "Value"        ? Member::value
                       : name == "InlineBinary" ? Member::inline_binary
                       : name == "BulkDataURI"  ? Member::bulk_data_uri
                                                : Member::none;
        if (frame.member == Member::none) return fail(Errc::malformed, "an unknown member of an attribute");
        const bool twice =
            frame.member == Member::vr ? row.vr != Vr::none : std::exchange(frame.has_key, true);
        if (twice) return fail(Errc::malformed, "more than one vr or value in an attribute");
        return true;
    }

    bool name_key(Frame& frame, const std::string_view* group) {
        Row& row = table_.rows[frame.row];
        if (!row.is_name) {
            if (table_.rows.size() - 1 != frame.row || depth_ < 2) {
                return fail(Errc::malformed, "a component group that is in no person name");
            }
            row.is_name = true;
            row.first = table_.values.size();
            row.count = kGroups.size();
            table_.values.resize(table_.values.size() + kGroups.size());
        }
        frame.group = static_cast<std::uint8_t>(group - kGroups.begin());
        const auto bit = static_cast<std::uint8_t>(1u << frame.group);
        if ((frame.groups_seen & bit) != 0) return fail(Errc::malformed, "a component group twice");
        frame.groups_seen = static_cast<std::uint8_t>(frame.groups_seen | bit);
        return true;
    }

    bool text_scalar(Value::Kind kind, std::string_view text) {
        if (!frames_.empty() && frames_.back().kind == Frame::Kind::attribute) return member_text(kind, text);
        Value value{kind, table_.text.size(), text.size()};
        table_.text += text;
        return scalar(value);
    }

    // "vr", "InlineBinary", "BulkDataURI".
    bool member_text(Value::Kind kind, std::string_view text) {
        const Frame& frame = frames_.back();
        Row& row = table_.rows[frame.row];
        if (kind != Value::Kind::text) return fail(Errc::malformed, "a number where text is expected");
        switch (frame.member) {
            case Frame::Member::vr: {
                const auto vr = text.size() == 2 ? vr_from_letters(text[0], text[1]) : std::nullopt;
                if (!vr) return fail(Errc::malformed, "an unknown VR");
                row.vr = *vr;
                return true;
            }
            case Frame::Member::inline_binary:
                row.content = Row::Content::bytes;
                row.first = table_.text.size();
                if (!decode_base64(text, table_.text))
                    return fail(Errc::malformed, "InlineBinary is no base 64");
                row.count = table_.text.size() - row.first;
                return true;
            case Frame::Member::bulk_data_uri:
                row.content = Row::Content::uri;
                row.first = table_.text.size();
                row.count = text.size();
                table_.text += text;
                return true;
            default: return fail(Errc::malformed, "a Value that is no array");
        }
    }

    bool scalar(const Value& value) {
        const bool is_null = value.kind == Value::Kind::null;
        if (frames_.empty() || frames_.back().kind == Frame::Kind::list) {
            return fail(Errc::malformed, "no object");
        }
        Frame& frame = frames_.back();
        Row& row = table_.rows[frame.row];
        switch (frame.kind) {
            case Frame::Kind::values:
                if (row.content == Row::Content::objects) {
                    return is_null ? empty_object(frame)
                                   : fail(Errc::malformed, "objects among other values");
                }
                if (row.content == Row::Content::none) row.first = table_.values.size();
                row.content = Row::Content::scalars;
                ++row.count;
                table_.values.push_back(value);
                return true;
            case Frame::Kind::elements:
                if (!row.is_name) return fail(Errc::malformed, "an attribute that is no object");
                if (!is_null && value.kind != Value::Kind::text) {
                    return fail(Errc::malformed, "a component group that is no text");
                }
                table_.values[row.first + frame.group] = value;
                return true;
            case Frame::Kind::attribute:
                if (is_null && frame.member != Frame::Member::vr) return true;  // an empty value
                return fail(Errc::malformed, frame.member == Frame::Member::value
                                                 ? "a Value that is no array"
                                                 : "a number where text is expected");
            case Frame::Kind::list: break;
        }
        return false;
    }

    Table& table_;
    const JsonReadOptions& options_;
    std::vector<Frame> frames_;
    std::size_t depth_ = 0;
};

// Pixel data as a run of items that fills the bytes (PS3.5 A.4), also without the delimiter at the end.
std::optional<std::vector<std::span<const std::byte>>> fragments_of(std::span<const std::byte> bytes) {
    std::vector<std::span<const std::byte>> fragments;
    ByteReader reader(bytes);
    while (reader.remaining() != 0) {
        const auto group = reader.le<std::uint16_t>();
        const auto element = reader.le<std::uint16_t>();
        const auto length = reader.le<std::uint32_t>();
        if (!length) return std::nullopt;
        const Tag tag(*group, *element);
        if (tag == kSequenceDelimitation && *length == 0 && reader.remaining() == 0) break;
        const auto value = reader.take(*length);
        if (tag != kItem || !value) return std::nullopt;
        fragments.push_back(*value);
    }
    if (fragments.empty()) return std::nullopt;
    return fragments;
}

// From the table to data sets, level by level on a stack of its own.
class Maker {
public:
    Maker(const Table& table, const JsonReadOptions& options) : table_(table), options_(options) {}

    Result<JsonDataSet> make(std::uint32_t root) {
        if (table_.rows[root].is_name)
            return Error(Errc::malformed, "a person name where a data set is expected");
        if (auto opened = open_elements(root); !opened) return std::move(opened).error().within(path());
        while (!levels_.empty()) {
            Level& level = levels_.back();
            Result<void> done;
            if (level.next == level.end) {
                close();
            } else if (level.of_items) {
                done = next_item();
            } else {
                done = attribute(order_[level.next++]);
            }
            if (!done) return std::move(done).error().within(path());
        }
        return finish();
    }

private:
    struct Level {
        std::uint32_t first = 0;  ///< of the order, when elements are meant
        std::uint32_t next = 0;   ///< of the order, or the row of the next item
        std::uint32_t end = 0;
        std::uint32_t row = 0;    ///< of the attribute that was opened last
        std::uint32_t count = 0;  ///< items so far
        bool of_items = false;
    };

    [[nodiscard]] std::string path() const {
        std::string text;
        for (const Level& level : levels_) {
            if (level.of_items && level.count != 0) text += fmt::format("[{}]", level.count - 1);
            if (!level.of_items) text += to_string(table_.rows[level.row].tag);
        }
        return text;
    }

    Result<void> open_elements(std::uint32_t object) {
        Level level;
        level.first = level.next = static_cast<std::uint32_t>(order_.size());
        const std::uint32_t last = object + table_.rows[object].subtree;
        for (std::uint32_t row = object + 1; row <= last; row += 1 + table_.rows[row].subtree)
            order_.push_back(row);
        const auto first = order_.begin() + level.next;
        const auto tag_of_row = [this](std::uint32_t row) { return table_.rows[row].tag; };
        const auto before = [&](std::uint32_t a, std::uint32_t b) { return tag_of_row(a) < tag_of_row(b); };
        const auto same = [&](std::uint32_t a, std::uint32_t b) { return tag_of_row(a) == tag_of_row(b); };
        if (!std::is_sorted(first, order_.end(), before)) std::sort(first, order_.end(), before);
        level.end = static_cast<std::uint32_t>(order_.size());
        const auto twice = std::adjacent_find(first, order_.end(), same);
        if (twice != order_.end()) level.row = *twice;
        levels_.push_back(level);
        if (twice != order_.end()) return Error(Errc::malformed, "an attribute twice");
        return {};
    }

    void close() {
        const Level level = levels_.back();
        levels_.pop_back();
        if (!level.of_items) order_.resize(level.first);
        if (!levels_.empty()) builder_.end();
    }

    Result<void> next_item() {
        Level& level = levels_.back();
        const std::uint32_t row = level.next;
        level.next += 1 + table_.rows[row].subtree;
        ++level.count;
        if (table_.rows[row].is_name)
            return Error(Errc::malformed, "a person name where an item is expected");
        builder_.begin_item();
        return open_elements(row);
    }

    Result<void> attribute(std::uint32_t at) {
        levels_.back().row = at;
        top_level_ = levels_.size() == 1;
        const Row& row = table_.rows[at];
        if (row.tag.group() == 0 || row.tag.group() == 0xfffe || row.tag.group() == 0xffff) {
            return Error(Errc::malformed, "a tag that no data set has");  // PS3.5 7.1, 7.5
        }
        if (row.tag.is_group_length()) return {};
        if (row.tag == tags::SpecificCharacterSet) {
            if (top_level_ && row.vr == Vr::CS) {
                stated_ = true;
                stated_empty_ = row.count == 0;
            }
            return {};
        }
        if (row.vr == Vr::SQ) return sequence(at);
        switch (row.content) {
            case Row::Content::none: break;
            case Row::Content::scalars:
            case Row::Content::objects: {
                if (auto made = json_rows::value_field(table_, at, field_); !made) return made;
                add(row, field_);
                return {};
            }
            case Row::Content::bytes: return add_bytes(row, table_.bytes_of(row));
            case Row::Content::uri: {
                if (!options_.bulk_data)
                    return Error(Errc::unsupported, "a BulkDataURI that nothing resolves");
                auto bytes = options_.bulk_data(table_.bytes_of(row));
                if (!bytes) return std::move(bytes).error();
                return add_bytes(row, as_text(std::as_const(*bytes).span()));
            }
        }
        add(row, {});
        return {};
    }

    Result<void> sequence(std::uint32_t at) {
        const Row& row = table_.rows[at];
        const bool has_null = row.content == Row::Content::scalars;
        if (row.content == Row::Content::bytes || row.content == Row::Content::uri) {
            if (row.count == 0) return add_empty_sequence(row);
            return Error(Errc::malformed, "a sequence that is no array of objects");
        }
        if (builder_.depth() / 2 >= options_.max_depth) {
            return Error(Errc::limit_exceeded, "sequences nested too deep");
        }
        if (has_null) return null_items(row);
        builder_.begin_sequence(row.tag);
        Level items;
        items.next = at + 1;
        items.end = at + 1 + row.subtree;
        items.of_items = true;
        levels_.push_back(items);
        return {};
    }

    Result<void> add_empty_sequence(const Row& row) {
        builder_.begin_sequence(row.tag);
        builder_.end();
        return {};
    }

    // Nulls in a sequence are empty items (PS3.18 F.2.5).
    Result<void> null_items(const Row& row) {
        for (std::uint64_t n = 0; n < row.count; ++n) {
            if (table_.values[row.first + n].kind != Value::Kind::null) {
                return Error(Errc::malformed, "a sequence that is no array of objects");
            }
        }
        builder_.begin_sequence(row.tag);
        for (std::uint64_t n = 0; n < row.count; ++n) {
            builder_.begin_item();
            builder_.end();
        }
        builder_.end();
        return {};
    }

    Result<void> add_bytes(const Row& row, std::string_view bytes) {
        if (row.tag == tags::PixelData && top_level_ && !bytes.empty()) return pixel_data(row, bytes);
        if (auto good = json_rows::check_value_field(bytes, row.vr); !good) return good;
        add(row, bytes);
        return {};
    }

    Result<void> pixel_data(const Row& row, std::string_view bytes) {
        const auto fragments = fragments_of(as_bytes(bytes));
        if (options_.encapsulated != fragments.has_value()) {
            return Error(Errc::unsupported,
                         options_.encapsulated
                             ? "pixel data that is no run of items, for an encapsulated syntax"
                             : "encapsulated pixel data, for a syntax that is not");
        }
        if (!fragments) {
            if (auto good = json_rows::check_value_field(bytes, row.vr); !good) return good;
            add(row, bytes);
            return {};
        }
        builder_.begin_fragments(row.tag, row.vr == Vr::OW ? Vr::OW : Vr::OB);
        for (const auto fragment : *fragments) builder_.add(kItem, Vr::none, fragment);
        builder_.end();
        return {};
    }

    void add(const Row& row, std::string_view value) {
        // An escape character would change the repertoire of text that is not UTF-8 (PS3.5 6.1.2.5).
        const bool extended =
            uses_character_set(row.vr) && (!is_ascii(value) || value.find('\x1b') != std::string_view::npos);
        needs_utf8_ = needs_utf8_ || extended;
        if (top_level_ && row.tag.group() == 0x0002) {
            meta_.add_text(row.tag, row.vr, value);
        } else {
            builder_.add_text(row.tag, row.vr, value);
        }
    }

    Result<JsonDataSet> finish() {
        JsonDataSet made{meta_.finish(), builder_.finish()};
        if (needs_utf8_ || (stated_ && !stated_empty_)) {
            made.data_set.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        } else if (stated_) {
            made.data_set.set_text(tags::SpecificCharacterSet, Vr::CS, "");
        }
        needs_utf8_ = stated_ = stated_empty_ = false;
        return made;
    }

    const Table& table_;
    const JsonReadOptions& options_;
    DataSetBuilder builder_;
    DataSetBuilder meta_;
    std::vector<Level> levels_;
    std::vector<std::uint32_t> order_;  ///< rows of the open levels' attributes, each level by tag
    std::string field_;
    bool top_level_ = false;
    bool needs_utf8_ = false;
    bool stated_ = false;
    bool stated_empty_ = false;
};

}  // namespace

Result<std::vector<JsonDataSet>> read_json_list(std::string_view text, const JsonReadOptions& options) {
    if (text.size() > options.max_bytes) return Error(Errc::limit_exceeded, "more JSON than is allowed");
    Table table;
    Handler handler(table, options);
    const bool good = nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
    if (!good || handler.error) {
        return handler.error ? std::move(*handler.error) : Error(Errc::malformed, "not JSON");
    }
    std::vector<JsonDataSet> made;
    Maker maker(table, options);
    for (std::uint32_t root = 0; root < table.rows.size(); root += 1 + table.rows[root].subtree) {
        auto one = maker.make(root);
        if (!one) return std::move(one).error();
        made.push_back(std::move(*one));
    }
    return made;
}

Result<JsonDataSet> read_json(std::string_view text, const JsonReadOptions& options) {
    auto list = read_json_list(text, options);
    if (!list) return std::move(list).error();
    if (list->size() != 1) {
        return Error(Errc::malformed, fmt::format("{} data sets where one is expected", list->size()));
    }
    return std::move(list->front());
}

}  // namespace sagitta::dicom
