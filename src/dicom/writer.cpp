#include "dicom/writer.h"

#include <algorithm>
#include <vector>

#include "core/bytes.h"
#include "dicom/deflate.h"
#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

constexpr std::uint32_t kUndefinedLength = 0xffffffffu;

class Writer {
public:
    Writer(const DataSet& data_set, bool explicit_vr, bool big_endian, WriteOptions::Form form,
           ByteBuffer& out)
        : data_set_(data_set), explicit_vr_(explicit_vr), big_endian_(big_endian), form_(form), out_(out) {}

    Result<void> run() {
        const auto nodes = data_set_.nodes();
        for (std::size_t index = 0; index < nodes.size(); ++index) {
            if (auto closed = close_before(index); !closed) return closed;
            const Node& node = nodes[index];
            if (is_dropped(node)) continue;
            const bool container = node.vr == Vr::SQ || node.subtree != 0 || node.undefined_length;
            if (implicit_inside(node)) ++implicit_depth_;
            if (container || (node.tag == kItem && !in_fragments())) {
                open(index, node);
            } else if (auto written = write_value(node); !written) {
                return written;
            }
        }
        return close_before(nodes.size());
    }

private:
    struct Open {
        std::size_t last = 0;       // the row behind its content
        std::size_t length_at = 0;  // where its length is to be filled in
        bool undefined_length = false;
        bool item = false;
        bool fragments = false;
        bool implicit_inside = false;
    };

    [[nodiscard]] bool canonical() const { return form_ != WriteOptions::Form::as_read; }

    // Of groups 0000 and 0002 the length is required (PS3.7 6.3.1, PS3.10 7.1).
    [[nodiscard]] bool is_dropped(const Node& node) const {
        return canonical() && node.tag.is_group_length() && node.tag.group() > 0x0002;
    }

    // A sequence stored as UN is implicit VR little endian inside (PS3.5 6.2.2).
    [[nodiscard]] bool implicit_inside(const Node& node) const {
        if (canonical()) return false;
        return (node.vr == Vr::UN && node.undefined_length) || (node.vr == Vr::SQ && node.stored_as_un);
    }

    [[nodiscard]] bool in_fragments() const { return !open_.empty() && open_.back().fragments; }
    [[nodiscard]] bool big() const { return big_endian_ && implicit_depth_ == 0; }

    void u16(std::uint16_t value) { big() ? append_be(out_, value) : append_le(out_, value); }
    void u32(std::uint32_t value) { big() ? append_be(out_, value) : append_le(out_, value); }

    void tag(Tag value) {
        u16(value.group());
        u16(value.element());
    }

    [[nodiscard]] bool undefined_length(const Node& node, bool fragments, bool implicit) const {
        if (fragments) return true;
        if (implicit && node.tag != kItem) {
            const auto* known = find_tag(node.tag);
            if (known == nullptr || known->vr != Vr::SQ) return true;
        }
        switch (form_) {
            case WriteOptions::Form::as_read: return node.undefined_length;
            case WriteOptions::Form::canonical: return false;
            case WriteOptions::Form::canonical_undefined_lengths: return true;
        }
        return node.undefined_length;
    }

    // Everything but the length; says how wide the length is.
    bool begin_header(Tag name, Vr vr, bool implicit) {
        tag(name);
        if (implicit || name.group() == 0xfffe) return true;
        append_text(out_, to_string(vr));
        if (!has_long_header(vr)) return false;
        u16(0);
        return true;
    }

    void open(std::size_t index, const Node& node) {
        Open entry;
        entry.implicit_inside = implicit_inside(node);
        const bool implicit = !explicit_vr_ || implicit_depth_ > (entry.implicit_inside ? 1 : 0);
        if (entry.implicit_inside) --implicit_depth_;  // its own header is still outside
        entry.item = node.tag == kItem;
        entry.fragments = node.vr == Vr::OB || node.vr == Vr::OW;
        const bool as_un = !canonical() && (node.stored_as_un || node.vr == Vr::UN);
        begin_header(node.tag, as_un ? Vr::UN : entry.fragments ? node.vr : Vr::SQ, implicit);
        entry.last = index + 1 + node.subtree;
        entry.length_at = out_.size();
        entry.undefined_length = undefined_length(node, entry.fragments, implicit);
        u32(kUndefinedLength);
        if (entry.implicit_inside) ++implicit_depth_;
        open_.push_back(entry);
    }

    // Ends every container whose content is complete before the row `index`.
    Result<void> close_before(std::size_t index) {
        while (!open_.empty() && open_.back().last == index) {
            const Open entry = open_.back();
            open_.pop_back();
            if (entry.undefined_length) {
                tag(entry.item ? kItemDelimitation : kSequenceDelimitation);
                u32(0);
                if (entry.implicit_inside) --implicit_depth_;
                continue;
            }
            if (entry.implicit_inside) --implicit_depth_;
            const std::size_t length = out_.size() - entry.length_at - 4;
            if (length >= kUndefinedLength)
                return Error(Errc::limit_exceeded, "a sequence is longer than 4 GiB");
            std::byte* at = out_.data() + entry.length_at;
            big() ? store_be(at, static_cast<std::uint32_t>(length))
                  : store_le(at, static_cast<std::uint32_t>(length));
        }
        return {};
    }

    // Without the padding that says nothing. Under a VR that is not its own (implicit VR cannot know)
    // a number may stand where text should: its zeros are no padding.
    [[nodiscard]] std::span<const std::byte> value_of(const Node& node) const {
        const auto value = data_set_.value_of(node);
        if (!canonical() || !is_text(node.vr)) return value;
        auto text = value;
        while (!text.empty() && (text.back() == std::byte{' '} || text.back() == std::byte{0}))
            text = text.first(text.size() - 1);
        const bool is_number = std::any_of(text.begin(), text.end(), [](std::byte b) {
            return b < std::byte{' '} && b != std::byte{'\t'} && b != std::byte{'\n'} &&
                   b != std::byte{'\f'} && b != std::byte{'\r'} && b != std::byte{0x1b};
        });
        return is_number ? value : text;
    }

    Result<void> write_value(const Node& node) {
        const auto value = value_of(node);
        const std::uint64_t length = value.size() + value.size() % 2;
        if (length > 0xfffffffeu) {
            return Error(Errc::limit_exceeded, to_string(node.tag) + " is too long for its length field");
        }
        const bool too_long = length > 0xffffu && !has_long_header(node.vr) && node.tag != kItem;
        const bool as_un = too_long || (node.stored_as_un && !canonical());
        const bool wide =
            begin_header(node.tag, as_un ? Vr::UN : node.vr, !explicit_vr_ || implicit_depth_ > 0);
        wide ? u32(static_cast<std::uint32_t>(length)) : u16(static_cast<std::uint16_t>(length));
        const std::size_t unit = swap_unit(node.vr);
        const bool target_big = big() && !as_un;  // what is UN stays little endian
        if (unit > 1 && node.big_endian != target_big) {
            const auto target = out_.prepare(value.size());
            std::copy(value.begin(), value.end(), target.begin());
            for (std::size_t at = 0; at + unit <= target.size(); at += unit) {
                std::reverse(target.begin() + static_cast<std::ptrdiff_t>(at),
                             target.begin() + static_cast<std::ptrdiff_t>(at + unit));
            }
            out_.commit(value.size());
        } else {
            out_.append(value);
        }
        if (value.size() % 2 != 0) {
            const auto pad = static_cast<std::byte>(padding(node.vr));
            out_.append({&pad, 1});
        }
        return {};
    }

    const DataSet& data_set_;
    bool explicit_vr_;
    bool big_endian_;
    WriteOptions::Form form_;
    ByteBuffer& out_;
    std::vector<Open> open_;
    int implicit_depth_ = 0;
};

}  // namespace

Result<void> write_data_set(const DataSet& data_set, const TransferSyntax& syntax, ByteBuffer& out,
                            const WriteOptions& options) {
    if (!syntax.deflated)
        return Writer(data_set, syntax.explicit_vr, syntax.big_endian, options.form, out).run();
    ByteBuffer plain;
    if (auto written = Writer(data_set, true, false, options.form, plain).run(); !written) return written;
    return deflate(plain.span(), out);
}

}  // namespace sagitta::dicom
