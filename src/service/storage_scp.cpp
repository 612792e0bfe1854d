#include "service/storage_scp.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "service/await.h"
#include "service/dimse_status.h"

namespace sagitta::service {
namespace {

using net::dimse::AssociationInfo;
using net::dimse::Outcome;
using net::dimse::StoreRequest;

// Parsing and hashing this much at once would hold up the other associations of the thread.
constexpr std::size_t kLargeObjectBytes = 4u << 20;

Result<void> check_identity(const dicom::DataSet& data_set, const StoreRequest& request) {
    const auto sop_class = data_set.uid(dicom::tags::SOPClassUID);
    const auto sop_instance = data_set.uid(dicom::tags::SOPInstanceUID);
    if (!sop_class) return Error(Errc::malformed, "SOP Class UID (0008,0016) missing or invalid");
    if (!sop_instance) return Error(Errc::malformed, "SOP Instance UID (0008,0018) missing or invalid");
    if (*sop_class != request.sop_class_uid) {
        return Error(Errc::mismatch, "SOP Class UID (0008,0016) is not the Affected one");
    }
    if (*sop_instance != request.sop_instance_uid) {
        return Error(Errc::mismatch, "SOP Instance UID (0008,0018) is not the Affected one");
    }
    return {};
}

// Everything that needs no disk: parse, check, and make the file header and the index row.
Result<storage::IncomingInstance> prepare(const StoreRequest& request, std::string source,
                                          ByteBuffer data_set, std::uint32_t depth) {
    auto syntax = dicom::encoding_of(request.transfer_syntax_uid, data_set.span());
    if (!syntax) return std::move(syntax).error();
    dicom::ParseOptions options;
    options.max_depth = depth;
    auto parsed = dicom::parse_data_set(data_set.span(), **syntax, options);
    if (!parsed) {
        // Beyond what we read is not "out of resources": a sender told A700 would try for ever.
        Error error = std::move(parsed).error();
        if (error.code == Errc::limit_exceeded) error.code = Errc::unsupported;
        return error;
    }
    if (auto same = check_identity(parsed->data_set, request); !same) return std::move(same).error();

    dicom::FileMeta meta;
    meta.sop_class_uid = request.sop_class_uid;
    meta.sop_instance_uid = request.sop_instance_uid;
    meta.transfer_syntax_uid = request.transfer_syntax_uid;
    meta.source_ae_title = std::move(source);
    storage::IncomingInstance instance;
    instance.file_header = dicom::make_file_header(meta);

    storage::EncodedInstance encoded;
    encoded.transfer_syntax_uid = request.transfer_syntax_uid;
    encoded.file_header_length = instance.file_header.size();
    encoded.data_set = data_set.span();
    auto record = storage::extract_record(parsed->data_set, encoded);
    if (!record) return std::move(record).error();
    instance.record = std::move(*record);
    instance.data_set = std::move(data_set);
    return instance;
}

}  // namespace

Task<Outcome> StorageScp::store(const AssociationInfo& association, StoreRequest request,
                                ByteBuffer data_set) {
    const std::size_t bytes = data_set.size();
    std::optional<Result<storage::IncomingInstance>> prepared;
    if (bytes < kLargeObjectBytes) {
        prepared.emplace(
            prepare(request, association.calling.str(), std::move(data_set), settings_.sequence_depth));
    } else {
        auto work = [&request, &association, &data_set, this] {
            return prepare(request, association.calling.str(), std::move(data_set), settings_.sequence_depth);
        };
        prepared.emplace(co_await workers_.run(std::move(work)));
    }
    if (!*prepared) co_return store_outcome(prepared->error());
    auto submit = [this, &prepared](auto done) {
        return archive_.submit(std::move(**prepared), std::move(done));
    };
    auto filed = co_await await_callback<Result<storage::IngestOutcome>>(std::move(submit));
    if (!filed) co_return store_outcome(filed.error());
    if (*filed == storage::IngestOutcome::conflict_quarantined) {
        log::warning(
            "association={} peer={} sent other content for a stored SOP Instance: kept in quarantine",
            association.id, association.peer_address);
    }
    log::debug("association={} stored bytes={}", association.id, bytes);
    co_return Outcome();
}

}  // namespace sagitta::service
