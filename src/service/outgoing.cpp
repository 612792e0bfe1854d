#include "service/outgoing.h"

#include <algorithm>
#include <utility>

#include "codec/transcode_for.h"
#include "dicom/part10.h"
#include "service/stored_payload.h"

namespace sagitta::service {
namespace {

// Keeps the bytes it sends.
class MadePayload final : public net::dimse::Payload {
public:
    explicit MadePayload(ByteBuffer bytes) : bytes_(std::move(bytes)), sent_(bytes_.span()) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return sent_.size_bytes(); }
    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override {
        co_return co_await sent_.next();
    }

private:
    ByteBuffer bytes_;
    net::dimse::MemoryPayload sent_;
};

struct Made {
    dicom::Uid sop_instance_uid;
    codec::EncodedDataSet encoded;
};

Result<dicom::ParsedFile> read_stored(const storage::InstanceStore& store,
                                      const storage::InstanceLocation& instance) {
    if (instance.length > codec::TranscodeOptions().max_bytes_in_memory)
        return Error(Errc::limit_exceeded, "the object is too large to be changed for this peer");
    auto stored = store.read(instance, 0, instance.length);
    if (!stored) return std::move(stored).error();
    auto owner = std::make_shared<const ByteBuffer>(std::move(*stored));
    const auto span = owner->span();
    return dicom::parse_file(span, {}, std::move(owner));
}

bool takes(const Recipient& recipient, const std::string& transfer_syntax_uid) {
    return std::find(recipient.accepted.begin(), recipient.accepted.end(), transfer_syntax_uid) !=
           recipient.accepted.end();
}

// Blocks: reads, de-identifies, decodes and encodes the whole object.
Result<Made> make(const storage::InstanceStore& store, const storage::InstanceLocation& instance,
                  const Recipient& recipient) {
    auto file = read_stored(store, instance);
    if (!file) return std::move(file).error();
    Made made;
    made.sop_instance_uid = instance.sop_instance_uid;
    dicom::DataSet data_set = std::move(file->data_set);
    if (recipient.project != nullptr) {
        auto safe = recipient.project->apply(data_set, *file->layout.syntax, recipient.association);
        if (!safe) return std::move(safe).error().within("de-identification");
        if (safe->quarantined) return Error(Errc::refused, "de-identification: " + *safe->quarantined);
        const auto uid = dicom::Uid::parse(safe->sop_instance_uid);
        if (!uid) return Error(Errc::malformed, "de-identification: a UID of the result is none");
        made.sop_instance_uid = *uid;
        if (takes(recipient, instance.transfer_syntax_uid)) {
            made.encoded.transfer_syntax_uid = instance.transfer_syntax_uid;
            made.encoded.bytes = std::move(safe->bytes);
            return made;
        }
        data_set = std::move(safe->data_set);
    }
    auto encoded = codec::transcode_for(data_set, instance.transfer_syntax_uid, recipient.accepted, {});
    if (!encoded) return std::move(encoded).error();
    made.encoded = std::move(*encoded);
    return made;
}

}  // namespace

Result<Outgoing> make_outgoing(const storage::InstanceStore& store, WorkerPool& workers,
                               const storage::InstanceLocation& instance, const Recipient& recipient) {
    if (recipient.accepted.empty()) return Error(Errc::unsupported, "the peer does not take this SOP class");
    Outgoing outgoing;
    if (recipient.project == nullptr && takes(recipient, instance.transfer_syntax_uid)) {
        auto payload = std::make_unique<StoredPayload>(store, workers, instance);
        if (auto opened = payload->prepare(); !opened) return std::move(opened).error();
        outgoing.sop_instance_uid = instance.sop_instance_uid;
        outgoing.transfer_syntax_uid = instance.transfer_syntax_uid;
        outgoing.payload = std::move(payload);
        return outgoing;
    }
    auto made = make(store, instance, recipient);
    if (!made) return std::move(made).error();
    outgoing.sop_instance_uid = made->sop_instance_uid;
    outgoing.transfer_syntax_uid = std::move(made->encoded.transfer_syntax_uid);
    outgoing.payload = std::make_unique<MadePayload>(std::move(made->encoded.bytes));
    return outgoing;
}

}  // namespace sagitta::service
