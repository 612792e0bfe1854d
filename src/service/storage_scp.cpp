#include "service/storage_scp.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "core/log.h"
#include "dicom/part10.h"
#include "service/dimse_status.h"
#include "service/filing.h"
#include "service/large_object.h"

namespace sagitta::service {
namespace {

using net::dimse::AssociationInfo;
using net::dimse::Outcome;
using net::dimse::StoreRequest;

// Parsing and hashing this much at once would hold up the other associations of the thread.
constexpr std::size_t kLargeObjectBytes = 4u << 20;

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
    return service::meta_of(received.request, received.association);
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
    if (!parsed) return unreadable(std::move(parsed).error());
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
    auto instance = std::move(***prepared);
    co_return co_await file(archive_, settings_, association, std::move(instance));
}

/// What de-identification makes lies elsewhere.
std::size_t StorageScp::front_room(const AssociationInfo& association, const StoreRequest& request) {
    if (may_deidentify(settings_.senders, association.calling.view())) return 0;
    return storage::front_room(dicom::make_file_header(service::meta_of(request, association)).size());
}

/// De-identification, and inflating, need all of an object.
std::unique_ptr<net::dimse::ObjectReceiver> StorageScp::receive(const AssociationInfo& association,
                                                                StoreRequest request,
                                                                std::function<void()> on_room) {
    const auto* syntax = dicom::find_transfer_syntax(request.transfer_syntax_uid);
    const bool deflated = syntax != nullptr && syntax->deflated;
    if (deflated || may_deidentify(settings_.senders, association.calling.view())) return nullptr;
    return receive_large_object({archive_, writers_, settings_}, association, std::move(request),
                                std::move(on_room));
}

}  // namespace sagitta::service
