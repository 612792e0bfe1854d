#include "service/outgoing.h"

#include <algorithm>
#include <utility>

#include "codec/transcode_for.h"
#include "dicom/part10.h"
#include "service/stored_payload.h"

namespace sagitta::service {
namespace {

// Keeps the bytes it sends.
class TranscodedPayload final : public net::dimse::Payload {
public:
    explicit TranscodedPayload(ByteBuffer bytes) : bytes_(std::move(bytes)), sent_(bytes_.span()) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return sent_.size_bytes(); }
    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override {
        co_return co_await sent_.next();
    }

private:
    ByteBuffer bytes_;
    net::dimse::MemoryPayload sent_;
};

// Blocks: reads, decodes and encodes the whole object.
Result<codec::EncodedDataSet> transcode_stored(const storage::InstanceStore& store,
                                               const storage::InstanceLocation& instance,
                                               const std::vector<std::string>& accepted) {
    const codec::TranscodeOptions options;
    if (instance.length > options.max_bytes_in_memory)
        return Error(Errc::limit_exceeded, "the object is too large to be transcoded for this peer");
    auto stored = store.read(instance, 0, instance.length);
    if (!stored) return std::move(stored).error();
    auto owner = std::make_shared<const ByteBuffer>(std::move(*stored));
    const auto span = owner->span();
    auto file = dicom::parse_file(span, {}, std::move(owner));
    if (!file) return std::move(file).error();
    return codec::transcode_for(file->data_set, instance.transfer_syntax_uid, accepted, options);
}

}  // namespace

Task<Result<Outgoing>> outgoing_instance(const storage::InstanceStore& store, WorkerPool& workers,
                                         storage::InstanceLocation instance,
                                         std::vector<std::string> accepted) {
    Outgoing outgoing;
    if (std::find(accepted.begin(), accepted.end(), instance.transfer_syntax_uid) != accepted.end()) {
        outgoing.transfer_syntax_uid = instance.transfer_syntax_uid;
        outgoing.payload = std::make_unique<StoredPayload>(store, workers, std::move(instance));
        co_return outgoing;
    }
    if (accepted.empty()) {
        Error refused(Errc::unsupported, "the peer does not take this SOP class");
        co_return refused;
    }
    auto work = [&store, instance = std::move(instance), accepted = std::move(accepted)] {
        return transcode_stored(store, instance, accepted);
    };
    auto transcoded = co_await workers.run(std::move(work));
    if (!transcoded) co_return std::move(transcoded).error();
    outgoing.transfer_syntax_uid = std::move(transcoded->transfer_syntax_uid);
    outgoing.payload = std::make_unique<TranscodedPayload>(std::move(transcoded->bytes));
    co_return outgoing;
}

}  // namespace sagitta::service
