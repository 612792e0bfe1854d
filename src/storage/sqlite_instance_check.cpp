#include <algorithm>
#include <mutex>
#include <utility>

#include "storage/digest.h"
#include "storage/instance_check.h"
#include "storage/layout.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

struct Known {
    InstanceLocation location;
    DataSetDigest digest;
};

class SqliteInstanceCheck final : public InstanceCheck {
public:
    SqliteInstanceCheck(std::string path, const InstanceStore& store)
        : path_(std::move(path)), store_(store) {}

    Result<InstanceState> check(std::string_view sop_class_uid,
                                std::string_view sop_instance_uid) const override {
        auto known = look_up(sop_instance_uid);
        if (!known) return std::move(known).error();
        if (!*known) return InstanceState::unknown;
        if ((*known)->location.sop_class_uid != sop_class_uid) return InstanceState::other_class;
        return is_intact(**known) ? InstanceState::intact : InstanceState::damaged;
    }

private:
    Result<std::optional<Known>> look_up(std::string_view sop_instance_uid) const {
        const std::lock_guard lock(mutex_);
        if (!database_) {
            auto opened = Database::open(path_, Database::Use::read);
            if (!opened) return std::move(opened).error();
            database_ = std::move(*opened);
        }
        auto select = database_->cached(
            "SELECT sop_class, volume, file_offset, file_length, data_set_offset, digest FROM instance WHERE "
            "sop_uid = ?1");
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        row.bind(1, sop_instance_uid);
        auto found = row.step();
        if (!found) return std::move(found).error();
        if (!*found) return std::optional<Known>();
        Known known;
        known.location.sop_class_uid = row.text(0);
        known.location.volume = static_cast<std::uint32_t>(row.integer(1));
        known.location.offset = static_cast<std::uint64_t>(row.integer(2));
        known.location.length = static_cast<std::uint64_t>(row.integer(3));
        known.location.data_set_offset = static_cast<std::uint64_t>(row.integer(4));
        const auto digest = row.blob(5);
        if (digest.size() != known.digest.bytes.size())
            return Error(Errc::corrupt, "index: a digest of another length");
        std::copy_n(reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size(),
                    reinterpret_cast<std::uint8_t*>(known.digest.bytes.data()));
        return std::optional<Known>(std::move(known));
    }

    bool is_intact(const Known& known) const {
        const auto& location = known.location;
        PieceDigest digest;
        for (std::uint64_t at = location.data_set_offset; at < location.length; at += kPieceBytes) {
            const auto wanted = std::min(kPieceBytes, location.length - at);
            const auto piece = store_.read(location, at, wanted);
            if (!piece || piece->size() != wanted) return false;
            digest.add(piece->span());
        }
        return digest.data_set_digest() == known.digest;
    }

    std::string path_;
    const InstanceStore& store_;
    mutable std::mutex mutex_;
    mutable std::unique_ptr<Database> database_;
};

}  // namespace

std::unique_ptr<InstanceCheck> InstanceCheck::make(const std::string& data_dir, const InstanceStore& store) {
    return std::make_unique<SqliteInstanceCheck>(Layout{data_dir}.index(), store);
}

}  // namespace sagitta::storage
