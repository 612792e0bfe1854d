#include "store_tally.h"

#include <algorithm>

#include <fmt/format.h>

#include "command.h"
#include "dicom/json.h"
#include "peer_options.h"

namespace sagitta::tools {

using net::dimse::Status;

void Tally::answered(const FileToSend& file, const net::dimse::Outcome& outcome) {
    record_.add(file, outcome);
    const std::scoped_lock lock(mutex_);
    if (outcome.status == Status::success) {
        ++sent_;
        bytes_ += file.data_set_bytes;
    } else if (net::dimse::is_warning(outcome.status)) {
        ++warnings_;
        bytes_ += file.data_set_bytes;
        tell(file.path, "warning", describe(outcome));
    } else {
        ++failed_;
        tell(file.path, "failed", describe(outcome));
    }
    show_progress();
}

void Tally::failed(const std::string& path, const std::string& why) {
    const std::scoped_lock lock(mutex_);
    ++failed_;
    tell(path, "failed", why);
}

void Tally::failed(std::uint64_t files, const std::string& why) {
    const std::scoped_lock lock(mutex_);
    failed_ += files;
    progress_.clear();
    complain(fmt::format("{} file{} not sent: {}", files, files == 1 ? "" : "s", why));
}

void Tally::known(const FileToSend& file) {
    const std::scoped_lock lock(mutex_);
    ++known_;
    known_bytes_ += file.data_set_bytes;
}

double Tally::seconds() const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    return std::max(since.count(), 1e-6);
}

int Tally::finish() {
    const auto recorded = record_.finish();
    const std::scoped_lock lock(mutex_);
    progress_.clear();
    const double took = seconds();
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes_) / took);
    if (json_) {
        print(fmt::format(
            "{{\"sent\":{},\"warnings\":{},\"failed\":{},\"skipped\":{},\"known\":{},\"bytes\":{},"
            "\"seconds\":{:.3f},\"files\":[{}]}}",
            sent_, warnings_, failed_, plan_.skipped, known_, bytes_, took, told_));
    } else {
        const auto known = known_ == 0 ? std::string() : fmt::format(", {} sent before", known_);
        print(fmt::format(
            "{} sent, {} with warnings, {} failed, {} skipped{}; {} in {:.1f} s, {}/s, {:.0f} files/s", sent_,
            warnings_, failed_, plan_.skipped, known, readable_bytes(bytes_), took, readable_bytes(rate),
            static_cast<double>(sent_ + warnings_) / took));
    }
    if (!recorded) complain("", recorded.error());
    return failed_ == 0 && recorded ? kOk : kFailed;
}

void Tally::tell(const std::string& path, std::string_view what, const std::string& why) {
    progress_.clear();
    note(fmt::format("{}: {}: {}", what, path, why));
    if (!json_) return;
    told_ += told_.empty() ? "{\"path\":" : ",{\"path\":";
    dicom::append_json_string(path, told_);
    told_ += fmt::format(",\"result\":\"{}\",\"why\":", what);
    dicom::append_json_string(why, told_);
    told_ += '}';
}

void Tally::show_progress() {
    if (!progress_.is_due()) return;
    const double rate = static_cast<double>(bytes_) / seconds();
    const auto left = plan_.bytes - std::min(plan_.bytes, bytes_ + known_bytes_);
    const auto to_go = static_cast<std::uint64_t>(static_cast<double>(left) / std::max(rate, 1.0));
    progress_.show(fmt::format("{} of {} files, {} of {}, {}/s, {}:{:02} to go",
                               sent_ + warnings_ + failed_ + known_, plan_.files.size(),
                               readable_bytes(bytes_ + known_bytes_), readable_bytes(plan_.bytes),
                               readable_bytes(static_cast<std::uint64_t>(rate)), to_go / 60, to_go % 60));
}

}  // namespace sagitta::tools
