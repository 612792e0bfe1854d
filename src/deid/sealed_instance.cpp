#include "deid/sealed_instance.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "deid/sealed_box.h"

namespace sagitta::deid {
namespace {

constexpr std::string_view kFirstLine = "SAGITTA SEALED INSTANCE 1";

Digest box_key(const ProjectKey& key) {
    return key.mac("sealed instance", key.identifier());
}

// Up to the end of the line, which goes, too.
std::optional<std::string_view> take_line(std::string_view& rest) {
    const auto end = rest.substr(0, 256).find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

}  // namespace

Result<std::string> seal_instance(const ProjectKey& key, const SealedInstance& instance) {
    auto sealed = seal(box_key(key), instance.part10, instance.sop_instance_uid);
    if (!sealed) return sealed;
    return fmt::format("{}\n{}\n{}\n", kFirstLine, key.identifier(), instance.sop_instance_uid) + *sealed;
}

Result<SealedInstance> open_sealed_instance(const ProjectKey& key, std::string_view file) {
    const auto first = take_line(file);
    const auto owner = first == kFirstLine ? take_line(file) : std::nullopt;
    const auto uid = owner ? take_line(file) : std::nullopt;
    if (!uid) return Error(Errc::malformed, "is no sealed instance");
    if (*owner != key.identifier()) return Error(Errc::refused, "was sealed with another key");
    auto opened = open_sealed(box_key(key), file, *uid);
    if (!opened) return std::move(opened).error();
    return SealedInstance{std::string(*uid), std::move(*opened)};
}

}  // namespace sagitta::deid
