#include "storage/volume_scanner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/digest.h"
#include "storage/note.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kWindow = 1u << 20;  // bytes read at once when looking for a header
constexpr std::size_t kAhead =
    256u << 10;  // bytes read at once where members are small: fit a processor's cache
constexpr std::size_t kSmall = kAhead / 4;  // members up to this are

bool looks_like_ours(std::span<const std::byte, kTarBlock> block) {
    const auto member = parse_tar_header(block);
    return member && member->checksum &&
           (is_instance_member(*member) || is_note_member(*member) || member->name == kManifestName);
}

}  // namespace

VolumeScanner::VolumeScanner(const File& volume, std::uint64_t from, std::uint64_t volume_length,
                             Options options)
    : volume_(volume), position_(from), length_(volume_length), options_(options) {}

Result<std::optional<ScannedMember>> VolumeScanner::next() {
    head_ = {};
    if (position_ >= length_) return std::optional<ScannedMember>();
    auto found = member_at(position_);
    if (!found) return std::move(found).error();
    if (sealed_ && found->kind == ScannedMember::Kind::damaged) {
        position_ = length_;  // the end-of-archive blocks behind a manifest
        return std::optional<ScannedMember>();
    }
    sealed_ = found->kind == ScannedMember::Kind::manifest;
    position_ = found->end;
    return std::optional<ScannedMember>(std::move(*found));
}

Result<ScannedMember> VolumeScanner::member_at(std::uint64_t offset) {
    ScannedMember found;
    found.header_offset = offset;
    auto block = bytes_at(offset, kTarBlock);
    if (!block) return std::move(block).error();
    auto member = block->size() == kTarBlock ? parse_tar_header(block->first<kTarBlock>()) : std::nullopt;
    if (!member) {
        found.reason = sealed_ ? "end of archive" : "no valid member header";
        auto resumes = sealed_ ? Result<std::uint64_t>(length_) : next_good_header(offset + kTarBlock);
        if (!resumes) return std::move(resumes).error();
        found.end = *resumes;
        return found;
    }
    found.member = std::move(*member);
    const auto size = found.member.size;
    if (size > length_ || offset + kTarBlock > length_ - size) {
        found.reason = "the member ends beyond the volume";
        found.end = length_;
        return found;
    }
    found.end = offset + tar_footprint(size);
    reads_ahead_ = size <= kSmall;
    if (is_purged_member(found.member)) {
        found.kind = ScannedMember::Kind::purged;
        auto erased = is_erased(found);
        if (!erased) return std::move(erased).error();
        if (!*erased) found.reason = "a deleted instance whose bytes are still there";
        return found;
    }
    if (!found.member.checksum) {
        found.kind = ScannedMember::Kind::foreign;
        return found;
    }
    auto proved = prove(found);
    if (!proved) return std::move(proved).error();
    if (!*proved) {
        found.reason = "the member's bytes do not match its checksum";
        return found;
    }
    if (is_instance_member(found.member))
        found.kind = ScannedMember::Kind::instance;
    else if (found.member.name == kManifestName)
        found.kind = ScannedMember::Kind::manifest;
    else if (is_note_member(found.member))
        found.kind = ScannedMember::Kind::note;
    else
        found.kind = ScannedMember::Kind::foreign;
    return found;
}

/// `count` bytes of the volume, or less at its end, and what comes behind them where that is likely to be
/// asked for next. Valid until the next call.
Result<std::span<const std::byte>> VolumeScanner::bytes_at(std::uint64_t offset, std::size_t count) {
    const auto ahead = std::min(kAhead, options_.piece_bytes);
    const auto kept = window_at_ + window_.size();
    if (offset < window_at_ || offset + count > kept) {
        window_.clear();
        window_at_ = offset;
        auto read = volume_.read_at(offset, window_.prepare(reads_ahead_ ? std::max(count, ahead) : count));
        if (!read) return std::move(read).error();
        window_.commit(*read);
    }
    const auto from = window_.span().subspan(static_cast<std::size_t>(offset - window_at_));
    return from.first(std::min(count, from.size()));
}

/// Whether the data has its checksum.
Result<bool> VolumeScanner::prove(ScannedMember& found) {
    head_ = {};
    const auto size = found.member.size;
    if (size > std::min(kSmall, options_.piece_bytes)) return prove_long(found);
    auto bytes = bytes_at(found.data_offset(), static_cast<std::size_t>(size));
    if (!bytes) return std::move(bytes).error();
    if (options_.stop != nullptr && *options_.stop) return Error(Errc::cancelled, "told to stop");
    if (bytes->size() < size || member_checksum({*bytes}) != *found.member.checksum) return false;
    if (options_.sha256) {
        Sha256 sha256;
        sha256.add(*bytes);
        found.sha256 = sha256.finish();
    }
    head_ = *bytes;
    return true;
}

/// Piece by piece: a member may be larger than memory.
Result<bool> VolumeScanner::prove_long(ScannedMember& found) {
    PieceDigest digest;
    std::optional<Sha256> sha256;
    if (options_.sha256) sha256.emplace();
    const auto size = found.member.size;
    for (std::uint64_t at = 0; at < size;) {
        if (options_.stop != nullptr && *options_.stop) return Error(Errc::cancelled, "told to stop");
        auto& buffer = at == 0 ? first_piece_ : piece_;
        buffer.clear();
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(options_.piece_bytes, size - at));
        auto read = volume_.read_at(found.data_offset() + at, buffer.prepare(wanted));
        if (!read) return std::move(read).error();
        if (*read < wanted) return false;
        buffer.commit(*read);
        digest.add_for_checksum(buffer.span());
        if (sha256) sha256->add(buffer.span());
        at += *read;
    }
    if (digest.member_checksum() != *found.member.checksum) return false;
    if (sha256) found.sha256 = sha256->finish();
    head_ = first_piece_.span();
    return true;
}

/// Whether the data is nothing but zeros.
Result<bool> VolumeScanner::is_erased(const ScannedMember& found) {
    for (std::uint64_t at = 0; at < found.member.size;) {
        piece_.clear();
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(options_.piece_bytes, found.member.size - at));
        auto read = volume_.read_at(found.data_offset() + at, piece_.prepare(wanted));
        if (!read) return std::move(read).error();
        if (*read < wanted) return false;
        piece_.commit(*read);
        const auto bytes = piece_.span();
        if (std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; }))
            return false;
        at += *read;
    }
    return true;
}

Result<ByteBuffer> VolumeScanner::read_all(const ScannedMember& member) const {
    ByteBuffer all;
    auto read =
        volume_.read_at(member.data_offset(), all.prepare(static_cast<std::size_t>(member.member.size)));
    if (!read) return std::move(read).error();
    all.commit(*read);
    return all;
}

/// Members begin on block boundaries: where is the next that proves itself by its checksum?
Result<std::uint64_t> VolumeScanner::next_good_header(std::uint64_t offset) {
    std::vector<std::byte> window(kWindow);
    while (offset < length_) {
        auto read = volume_.read_at(offset, window);
        if (!read) return std::move(read).error();
        for (std::size_t at = 0; at + kTarBlock <= *read; at += kTarBlock) {
            const std::span<const std::byte, kTarBlock> block(window.data() + at, kTarBlock);
            if (!looks_like_ours(block)) continue;
            auto candidate = member_at(offset + at);
            if (!candidate) return std::move(candidate).error();
            head_ = {};
            if (candidate->kind != ScannedMember::Kind::damaged) return offset + at;
        }
        if (*read < kWindow) break;
        offset += *read;
    }
    return length_;
}

}  // namespace sagitta::storage
