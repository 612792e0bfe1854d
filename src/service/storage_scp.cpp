#include "service/storage_scp.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/bytes.h"
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

/// What came, and from whom.
struct Received {
    const AssociationInfo& association;
    const StoreRequest& request;
    ByteBuffer data_set;
};

/// An object as it will lie on disk: its file meta information and its bytes.
struct Encoded {
    dicom::FileMeta meta;
    ByteBuffer data_set;
};

dicom::FileMeta meta_of(const Received& received) {
    dicom::FileMeta meta;
    meta.sop_class_uid = received.request.sop_class_uid;
    meta.sop_instance_uid = received.request.sop_instance_uid;
    meta.transfer_syntax_uid = received.request.transfer_syntax_uid;
    meta.source_ae_title = received.association.calling.str();
    return meta;
}

// Makes the file header and the index row; `parsed` was read out of the bytes.
Result<storage::IncomingInstance> filed(Encoded object, const dicom::DataSet& parsed) {
    storage::IncomingInstance instance;
    instance.file_header = dicom::make_file_header(object.meta);
    storage::EncodedInstance encoded;
    encoded.transfer_syntax_uid = object.meta.transfer_syntax_uid;
    encoded.file_header_length = instance.file_header.size();
    encoded.data_set = object.data_set.span();
    auto record = storage::extract_record(parsed, encoded);
    if (!record) return std::move(record).error();
    instance.record = std::move(*record);
    instance.data_set = std::move(object.data_set);
    return instance;
}

/// Empty when the object was kept aside instead.
using Prepared = std::optional<storage::IncomingInstance>;

Result<Prepared> kept_aside(const Received& received, const deid::Project& project,
                            const deid::Deidentified& made) {
    const ByteBuffer header = dicom::make_file_header(meta_of(received));
    std::string part10(as_text(header.span()));
    part10 += as_text(received.data_set.span());
    auto kept = project.keep_aside(made, std::move(part10));
    if (!kept) return std::move(kept).error().within("keeping what could not be de-identified");
    log::warning("association={} peer={} sent an instance that {} could not de-identify: kept encrypted ({})",
                 received.association.id, received.association.peer_address, project.name(),
                 *made.quarantined);
    return Prepared();
}

// The original stays in memory: nothing of it is written but to the vault.
Result<Prepared> deidentified(const Received& received, const dicom::DataSet& original,
                              const dicom::TransferSyntax& syntax, deid::Project& project) {
    auto made = project.apply(original, syntax, received.association.id);
    if (!made) return std::move(made).error();
    if (made->quarantined) return kept_aside(received, project, *made);
    const auto instance_uid = dicom::Uid::parse(made->sop_instance_uid);
    const auto class_uid = dicom::Uid::parse(made->sop_class_uid);
    if (!instance_uid || !class_uid) return Error(Errc::malformed, "a UID of the result is none");
    Encoded object;
    object.meta.sop_class_uid = *class_uid;
    object.meta.sop_instance_uid = *instance_uid;
    object.meta.transfer_syntax_uid = received.request.transfer_syntax_uid;
    object.data_set = std::move(made->bytes);
    // Read again: a record points into the bytes that are filed.
    auto parsed = dicom::parse_data_set(object.data_set.span(), syntax);
    if (!parsed) return std::move(parsed).error();
    auto instance = filed(std::move(object), parsed->data_set);
    if (!instance) return std::move(instance).error();
    return Prepared(std::move(*instance));
}

// Everything before the archive: parse, check, de-identify.
Result<Prepared> prepare(Received received, const StorageScpSettings& settings) {
    auto syntax = dicom::encoding_of(received.request.transfer_syntax_uid, received.data_set.span());
    if (!syntax) return std::move(syntax).error();
    dicom::ParseOptions options;
    options.max_depth = settings.sequence_depth;
    auto parsed = dicom::parse_data_set(received.data_set.span(), **syntax, options);
    if (!parsed) {
        // Beyond what we read is not "out of resources": a sender told A700 would try for ever.
        Error error = std::move(parsed).error();
        if (error.code == Errc::limit_exceeded) error.code = Errc::unsupported;
        return error;
    }
    if (auto same = check_identity(parsed->data_set, received.request); !same) return std::move(same).error();
    auto* project = project_for(settings.senders, received.association.calling.view(), parsed->data_set);
    if (project != nullptr) return deidentified(received, parsed->data_set, **syntax, *project);
    Encoded object{meta_of(received), std::move(received.data_set)};
    auto instance = filed(std::move(object), parsed->data_set);
    if (!instance) return std::move(instance).error();
    return Prepared(std::move(*instance));
}

}  // namespace

Task<Outcome> StorageScp::store(const AssociationInfo& association, StoreRequest request,
                                ByteBuffer data_set) {
    const std::size_t bytes = data_set.size();
    Received received{association, request, std::move(data_set)};
    std::optional<Result<Prepared>> prepared;
    if (bytes < kLargeObjectBytes && settings_.senders.empty()) {
        prepared.emplace(prepare(std::move(received), settings_));
    } else {
        auto work = [&received, this] { return prepare(std::move(received), settings_); };
        prepared.emplace(co_await workers_.run(std::move(work)));
    }
    if (!*prepared) co_return store_outcome(prepared->error());
    if (!**prepared) co_return Outcome();
    auto submit = [this, &prepared](auto done) {
        return archive_.submit(std::move(***prepared), std::move(done));
    };
    auto answer = co_await await_callback<Result<storage::IngestOutcome>>(std::move(submit));
    if (!answer) co_return store_outcome(answer.error());
    if (*answer == storage::IngestOutcome::conflict_quarantined) {
        log::warning(
            "association={} peer={} sent other content for a stored SOP Instance: kept in quarantine",
            association.id, association.peer_address);
    }
    log::debug("association={} stored bytes={}", association.id, bytes);
    co_return Outcome();
}

}  // namespace sagitta::service
