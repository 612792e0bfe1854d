#include "service/worklist.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/json_reader.h"
#include "dicom/parser.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace sagitta::service {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

constexpr std::uint64_t kLongestFile = 16u << 20;

bool is_item(const dicom::DataSet& data_set) {
    return data_set.contains(tags::PatientID) && data_set.contains(tags::ScheduledProcedureStepSequence);
}

// Numbers little endian, whatever the file has.
Result<dicom::DataSet> little_endian(const dicom::DataSet& data_set) {
    auto bytes = std::make_shared<ByteBuffer>();
    const auto& syntax = dicom::explicit_vr_little_endian();
    if (auto written = dicom::write_data_set(data_set, syntax, *bytes); !written)
        return std::move(written).error();
    const auto span = std::as_const(*bytes).span();
    auto parsed = dicom::parse_data_set(span, syntax, {}, std::move(bytes));
    if (!parsed) return std::move(parsed).error();
    return std::move(parsed->data_set);
}

Result<std::vector<dicom::DataSet>> read_json_items(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || file.bad()) return Error(Errc::io_failure, "cannot be read");
    auto read = dicom::read_json_list(text.str());
    if (!read) return std::move(read).error();
    std::vector<dicom::DataSet> items;
    for (auto& one : *read) items.push_back(std::move(one.data_set));
    return items;
}

Result<std::vector<dicom::DataSet>> read_dicom_item(const std::string& path) {
    auto file = dicom::read_file(path);
    if (!file) return std::move(file).error();
    auto item = little_endian(file->data_set);
    if (!item) return std::move(item).error();
    return std::vector<dicom::DataSet>{std::move(*item)};
}

bool is_worklist_name(const fs::path& path) {
    const auto ending = path.extension();
    return ending == ".wl" || ending == ".dcm" || ending == ".json";
}

}  // namespace

Result<std::vector<dicom::DataSet>> read_worklist_file(const std::string& path) {
    if (!is_worklist_name(path)) return Error(Errc::unsupported, "is none of *.wl, *.dcm, *.json");
    std::error_code error;
    const auto length = fs::file_size(path, error);
    if (error) return Error(Errc::not_found, error.message());
    if (length > kLongestFile) return Error(Errc::limit_exceeded, "is longer than 16 MiB");
    auto items = fs::path(path).extension() == ".json" ? read_json_items(path) : read_dicom_item(path);
    if (!items) return items;
    if (items->empty() || !std::all_of(items->begin(), items->end(), is_item)) {
        return Error(Errc::malformed,
                     "a worklist item has a Patient ID and a Scheduled Procedure Step Sequence");
    }
    return items;
}

std::vector<dicom::DataSet> Worklist::items() {
    const std::lock_guard lock(mutex_);
    std::map<std::string, Known> now;
    std::error_code ignored;
    for (fs::directory_iterator entry(folder_, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        struct stat status {};
        const std::string path = entry->path().string();
        if (!is_worklist_name(entry->path()) || ::stat(path.c_str(), &status) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        const std::int64_t modified =
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        const auto length = static_cast<std::uint64_t>(status.st_size);
        auto known = files_.extract(path);
        if (!known.empty() && known.mapped().modified == modified && known.mapped().length == length) {
            now.insert(std::move(known));
            continue;
        }
        auto read = read_worklist_file(path);
        if (!read) log::warning("worklist: {}: {}", log::escaped(path), read.error().message());
        now[path] = {modified, length, read ? std::move(*read) : std::vector<dicom::DataSet>()};
    }
    files_ = std::move(now);
    std::vector<dicom::DataSet> all;
    for (const auto& [path, file] : files_) all.insert(all.end(), file.items.begin(), file.items.end());
    return all;
}

}  // namespace sagitta::service
