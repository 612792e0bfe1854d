#include "store_record.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace sagitta::tools {

namespace {

using Json = nlohmann::json;

bool is_taken(const Json& line) {
    const auto status = line.value("status", std::string());
    return status == "0000" || status.starts_with("B") || status == "0001";
}

std::int64_t modified(const std::string& path) {
    std::error_code wrong;
    const auto time = std::filesystem::last_write_time(path, wrong);
    return wrong ? 0 : time.time_since_epoch().count();
}

std::string absolute(const std::string& path) {
    std::error_code wrong;
    auto whole = std::filesystem::weakly_canonical(path, wrong);
    return wrong ? path : whole.string();
}

std::string text_of(const Json& line, const char* name) {
    const auto at = line.find(name);
    return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& line, const char* name) {
    const auto at = line.find(name);
    return at != line.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string join(const std::string& peer, const std::string& path, std::int64_t bytes, std::int64_t time) {
    return fmt::format("{}\n{}\n{}\n{}", peer, bytes, time, path);
}

}  // namespace

StoreRecord::~StoreRecord() {
    if (file_ >= 0) ::close(file_);
}

Result<void> StoreRecord::open(const std::string& path, std::string peer) {
    peer_ = std::move(peer);
    std::ifstream before(path, std::ios::binary);
    off_t whole_lines = 0;
    std::size_t number = 0;
    for (std::string text; std::getline(before, text);) {
        ++number;
        if (before.eof()) break;  // cut off while it was written
        const auto line = Json::parse(text, nullptr, false);
        if (!line.is_object())
            return Error(Errc::malformed, fmt::format("{}:{}: not a record of what was sent", path, number));
        whole_lines += static_cast<off_t>(text.size()) + 1;
        if (!is_taken(line)) continue;
        taken_.insert(join(text_of(line, "peer"), text_of(line, "path"), number_of(line, "bytes"),
                           number_of(line, "modified")));
    }
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) return Error(Errc::io_failure, path + ": " + std::strerror(errno));
    if (::ftruncate(file_, whole_lines) != 0)
        return Error(Errc::io_failure, path + ": " + std::strerror(errno));
    return {};
}

std::string StoreRecord::key(const FileToSend& file) const {
    return join(peer_, absolute(file.path), static_cast<std::int64_t>(file.data_set_bytes),
                modified(file.path));
}

bool StoreRecord::has(const FileToSend& file) const {
    return !taken_.empty() && taken_.contains(key(file));
}

void StoreRecord::add(const FileToSend& file, const net::dimse::Outcome& outcome) {
    if (file_ < 0) return;
    Json line;
    line["peer"] = peer_;
    line["path"] = absolute(file.path);
    line["bytes"] = file.data_set_bytes;
    line["modified"] = modified(file.path);
    line["sop_instance_uid"] = std::string(file.sop_instance_uid.view());
    line["status"] = fmt::format("{:04X}", net::dimse::code(outcome.status));
    if (!outcome.error_comment.empty()) line["why"] = outcome.error_comment;
    const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    const std::scoped_lock lock(mutex_);
    if (::write(file_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) failed_ = errno;
}

Result<void> StoreRecord::finish() {
    if (file_ < 0) return {};
    if (failed_ == 0 && ::fdatasync(file_) != 0) failed_ = errno;
    if (failed_ == 0) return {};
    return Error(Errc::io_failure, std::string("the record of what was sent: ") + std::strerror(failed_));
}

}  // namespace sagitta::tools
