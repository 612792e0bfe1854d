#include "media/export.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dicom/dicomdir_writer.h"
#include "dicom/generated/tags.h"
#include "media/byte_source.h"
#include "media/export_target.h"
#include "media/selection.h"
#include "storage/digest.h"
#include "storage/stored_header.h"

namespace sagitta::media {
namespace {

namespace tags = dicom::tags;

constexpr std::size_t kKeptFailures = 10'000;
constexpr std::size_t kKeptWarnings = 1'000;

constexpr std::uint64_t kPieceBytes = 1 << 20;

/// The file as it was stored, or an error in place of its last bytes.
class StoredSource final : public ByteSource {
public:
    StoredSource(const storage::InstanceStore& store, const StoredPlace& place, std::uint64_t checksum)
        : store_(store), where_(place.location()), checksum_(checksum) {}

    Result<std::size_t> read(std::span<std::byte> into) override {
        auto got = store_.read_into(where_, at_, into);
        if (!got) return got;
        digest_.add_for_checksum(into.first(*got));
        at_ += *got;
        const bool is_whole = at_ == where_.length;
        if (is_whole && digest_.member_checksum() != checksum_)
            return Error(Errc::corrupt, "is not what was stored: damaged, or deleted meanwhile");
        return got;
    }
    std::optional<std::uint64_t> size_bytes() const override { return where_.length; }

private:
    const storage::InstanceStore& store_;
    storage::InstanceLocation where_;
    std::uint64_t checksum_;
    std::uint64_t at_ = 0;
    storage::PieceDigest digest_;
};

Result<void> prove(StoredSource& source) {
    ByteBuffer piece;
    const auto length = source.size_bytes().value_or(0);
    const auto room = piece.prepare(static_cast<std::size_t>(std::min(length, kPieceBytes)));
    for (std::uint64_t at = 0; at < length;) {
        auto got = source.read(room.first(std::min<std::size_t>(room.size(), length - at)));
        if (!got) return std::move(got).error();
        if (*got == 0) return Error(Errc::corrupt, "ends too early");
        at += *got;
    }
    return {};
}

std::string joined(const std::vector<std::string>& file_id) {
    std::string path;
    for (const auto& component : file_id) path += (path.empty() ? "" : "/") + component;
    return path;
}

class Export {
public:
    Export(const storage::InstanceStore& store, const ExportOptions& options, ExportTarget& target)
        : store_(store), options_(options), target_(target), directory_(options.file_set_id) {}

    ExportReport run(const std::vector<StoredPlace>& places,
                     const std::function<void(const ExportReport&)>& progress) {
        for (const auto& place : places) {
            if (options_.stop != nullptr && *options_.stop) report_.interrupted = true;
            if (report_.interrupted || broken_) break;
            write_one(place);
            if (progress) progress(report_);
        }
        if (!broken_ && !report_.interrupted) finish();
        if (broken_ || report_.interrupted) report_.exported = target_.stop();
        return std::move(report_);
    }

private:
    /// It is read twice: what another process deletes meanwhile gets neither a record in a DICOMDIR nor a
    /// member in a tar file, and between the two looks the second one notices it.
    void write_one(const StoredPlace& place) {
        const auto where = place.location();
        const auto checksum = store_.checksum(where);
        if (!checksum) return fail("an instance", reason(place, checksum.error()));
        StoredSource first_look(store_, place, *checksum);
        if (auto proved = prove(first_look); !proved)
            return fail("an instance", reason(place, proved.error()));
        auto header = storage::read_header(store_, where);
        if (!header) return fail("an instance", reason(place, header.error()));
        const auto uid = std::string(header->data_set.text(tags::SOPInstanceUID));
        auto name = options_.pattern != nullptr ? names_.take(options_.pattern->name_of(header->data_set))
                                                : add_record(uid, *header);
        if (name.empty()) return;
        StoredSource source(store_, place, *checksum);
        auto put = target_.put(name, place.length, source);
        if (!put) {
            const auto code = put.error().code;
            const bool has_vanished = code == Errc::corrupt || code == Errc::not_found;
            broken_ = code == Errc::io_failure || code == Errc::no_space;
            broken_ = broken_ || (has_vanished && options_.pattern == nullptr);  // it has a record already
            return fail(uid, reason(place, put.error()));
        }
        if (*put == PutOutcome::already_there) {
            ++report_.already_there;
        } else {
            ++report_.exported;
            report_.bytes += place.length;
        }
    }

    /// Also says so when the instance was deleted while it was read.
    Error reason(const StoredPlace& place, const Error& error) const {
        const auto checksum = store_.checksum(place.location());
        if (checksum || checksum.error().code != Errc::not_found) return error;
        return {error.code, "was deleted meanwhile"};
    }

    /// Its File ID; empty when it can have no record.
    std::string add_record(const std::string& uid, const storage::StoredHeader& header) {
        const auto file_id = dicom::numbered_file_id(next_file_);
        auto added = directory_.add(file_id, header.data_set, header.meta.text(tags::TransferSyntaxUID));
        if (!added) {
            fail(uid, added.error());
            return {};
        }
        ++next_file_;
        return joined(file_id);
    }

    /// The DICOMDIR comes last: a medium that has one is complete.
    void finish() {
        auto finished = Result<void>();
        if (options_.pattern == nullptr) {
            auto bytes = directory_.finish();
            finished = bytes ? put_directory(bytes->span()) : Result<void>(std::move(bytes).error());
        }
        if (finished) finished = target_.finish();
        if (finished) return;
        broken_ = true;
        fail(options_.output, finished.error());
    }

    Result<void> put_directory(std::span<const std::byte> bytes) {
        for (const auto& warning : directory_.warnings()) {
            if (report_.warnings.size() < kKeptWarnings) report_.warnings.push_back(warning.message());
        }
        // In a folder what it names is durable before it is.
        if (auto there = target_.settle(); !there) return there;
        return target_.put_own("DICOMDIR", bytes);
    }

    void fail(const std::string& what, const Error& error) {
        ++report_.failed;
        if (report_.failures.size() < kKeptFailures) report_.failures.push_back({what, error.message()});
    }

    const storage::InstanceStore& store_;
    const ExportOptions& options_;
    ExportTarget& target_;
    dicom::DicomdirWriter directory_;
    UsedNames names_;
    std::uint32_t next_file_ = 0;
    bool broken_ = false;
    ExportReport report_;
};

}  // namespace

Result<ExportReport> export_instances(const storage::InstanceIndex& index,
                                      const storage::InstanceStore& store, const ExportOptions& options,
                                      const std::function<void(const ExportReport&)>& progress) {
    auto places = select_instances(index, store, options.identifier);
    if (!places) return std::move(places).error();
    auto target = open_target(options.output);
    if (!target) return std::move(target).error();
    return Export(store, options, **target).run(*places, progress);
}

}  // namespace sagitta::media
