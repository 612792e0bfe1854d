// Tiny synthetic instances and archives for the storage tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fmt/format.h>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "storage/archive.h"
#include "storage/index_writer.h"

namespace sagitta::storage::testing {

namespace tags = dicom::tags;
using dicom::Vr;

/// In memory where there is room: thousands of archives live here for a moment, and what a disk loses is
/// played by FaultyFileSystem.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        constexpr std::uintmax_t kRoom = 1ull << 30;
        const std::filesystem::path memory("/dev/shm");
        std::error_code none;
        const auto space = std::filesystem::space(memory, none);
        const bool fits = !none && space.available > kRoom;
        const auto place = fits ? memory : std::filesystem::temp_directory_path();
        std::string name = (place / "sagitta-storage-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

struct Sample {
    std::string patient_id = "P1";
    std::string patient_name = "Doe^Jane";
    std::string study_uid = "1.2.3";
    std::string series_uid = "1.2.3.4";
    std::string sop_uid = "1.2.3.4.5";
    std::string sop_class = "1.2.840.10008.5.1.4.1.1.2";
    std::string study_date = "20240301";
    std::string accession = "A1";
    std::string modality = "CT";
    std::string content = "pixels";  ///< any bytes; makes data sets differ
    std::map<dicom::Tag, std::pair<Vr, std::string>> more = {};
};

inline dicom::DataSet data_set_of(const Sample& sample) {
    dicom::DataSet data_set;
    data_set.set_text(tags::SOPClassUID, Vr::UI, sample.sop_class);
    data_set.set_text(tags::SOPInstanceUID, Vr::UI, sample.sop_uid);
    data_set.set_text(tags::StudyDate, Vr::DA, sample.study_date);
    data_set.set_text(tags::AccessionNumber, Vr::SH, sample.accession);
    data_set.set_text(tags::Modality, Vr::CS, sample.modality);
    data_set.set_text(tags::PatientName, Vr::PN, sample.patient_name);
    data_set.set_text(tags::PatientID, Vr::LO, sample.patient_id);
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, sample.study_uid);
    data_set.set_text(tags::SeriesInstanceUID, Vr::UI, sample.series_uid);
    for (const auto& [tag, value] : sample.more) data_set.set_text(tag, value.first, value.second);
    std::string pixels = sample.content;
    if (pixels.size() % 2) pixels += '\0';
    data_set.set(tags::PixelData, Vr::OB, as_bytes(pixels));
    return data_set;
}

inline IncomingInstance incoming(const Sample& sample) {
    const auto& syntax = dicom::explicit_vr_little_endian();
    IncomingInstance instance;
    EXPECT_TRUE(dicom::write_data_set(data_set_of(sample), syntax, instance.data_set));
    dicom::FileMeta meta;
    meta.sop_class_uid = *dicom::Uid::parse(sample.sop_class);
    meta.sop_instance_uid = *dicom::Uid::parse(sample.sop_uid);
    meta.transfer_syntax_uid = std::string(syntax.uid);
    instance.file_header = dicom::make_file_header(meta);
    auto parsed = dicom::parse_data_set(instance.data_set.span(), syntax);
    EXPECT_TRUE(parsed);
    auto record =
        extract_record(parsed->data_set, {syntax.uid, instance.file_header.size(), instance.data_set.span()});
    EXPECT_TRUE(record) << (record ? "" : record.error().message());
    if (record) instance.record = std::move(*record);
    return instance;
}

/// The same, its data set with room for what the archive puts around it.
inline IncomingInstance with_room(IncomingInstance instance) {
    const auto bytes = std::exchange(instance.data_set, ByteBuffer());
    instance.data_set = ByteBuffer::with_front(front_room(instance.file_header.size()), bytes.size() + 511);
    instance.data_set.append(bytes.span());
    return instance;
}

inline std::string file_bytes(const Sample& sample) {
    auto instance = incoming(sample);
    return std::string(as_text(instance.file_header.span())) + std::string(as_text(instance.data_set.span()));
}

/// Collects answers from the ingest thread.
class Answers {
public:
    IngestCompletion expect(std::size_t n) {
        const std::lock_guard lock(mutex_);
        ++open_;
        return [this, n](Result<IngestOutcome> outcome) {
            const std::lock_guard inner(mutex_);
            answers_.insert_or_assign(n, std::move(outcome));
            --open_;
            changed_.notify_all();
        };
    }
    void refused() {
        const std::lock_guard lock(mutex_);
        --open_;
    }
    std::map<std::size_t, Result<IngestOutcome>> wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_ == 0; });
        return answers_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t open_ = 0;
    std::map<std::size_t, Result<IngestOutcome>> answers_;
};

/// The same, its bytes written to a file of the archive instead. Errors: those of the file system.
inline Result<IncomingInstance> spooled(Archive& archive, const Sample& sample) {
    auto instance = incoming(sample);
    auto file = archive.spool(instance.file_header.span());
    if (!file) return std::move(file).error();
    const auto bytes = instance.data_set.span();
    for (std::size_t at = 0; at < bytes.size(); at += 500) {
        const auto piece = bytes.subspan(at, std::min<std::size_t>(500, bytes.size() - at));
        if (auto written = (*file)->append(piece); !written) return std::move(written).error();
    }
    if (auto synced = (*file)->sync(); !synced) return std::move(synced).error();
    instance.spooled = std::move(*file);
    instance.file_header = ByteBuffer();
    instance.data_set = ByteBuffer();
    return instance;
}

/// Submits one and waits for its answer.
inline Result<IngestOutcome> put(Archive& archive, const Sample& sample) {
    Answers answers;
    auto submitted = archive.submit(incoming(sample), answers.expect(0));
    if (!submitted) return std::move(submitted).error();
    return answers.wait().at(0);
}

inline std::unique_ptr<Archive> open_archive(const std::string& path, ArchiveOptions options = {}) {
    options.data_dir = path;
    auto archive = Archive::open(options);
    EXPECT_TRUE(archive) << (archive ? "" : archive.error().message());
    return archive ? std::move(*archive) : nullptr;
}

/// Whether so many volumes have their manifest, and the index knows it; waits for those that seal.
inline bool are_sealed(const std::string& path, std::size_t volumes) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto index = IndexWriter::open(path + "/index.sqlite", IndexWriter::Purpose::serve);
        const auto marks = index ? (*index)->marks() : Result<std::vector<VolumeMark>>(index.error());
        std::size_t sealed = 0;
        if (marks) {
            for (const auto& mark : *marks) sealed += mark.sealed ? 1 : 0;
        }
        if (sealed >= volumes) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

/// The bytes served under a SOP Instance UID; empty when there is none.
inline std::string served(const Archive& archive, const std::string& sop_uid) {
    auto found = archive.index().find_instance(*dicom::Uid::parse(sop_uid));
    EXPECT_TRUE(found);
    if (!found || !*found) return {};
    auto bytes = archive.store().read(**found, 0, (*found)->length);
    EXPECT_TRUE(bytes) << (bytes ? "" : bytes.error().message());
    return bytes ? std::string(as_text(bytes->span())) : std::string();
}

/// The files kept in quarantine under names that say they are complete.
inline std::set<std::string> quarantined(const std::string& path) {
    std::set<std::string> files;
    if (!std::filesystem::exists(path + "/quarantine")) return files;
    for (const auto& entry : std::filesystem::directory_iterator(path + "/quarantine")) {
        if (entry.path().extension() != ".dcm") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        files.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return files;
}

/// All the index says at all levels, as sorted lines: equal for equal archives.
inline std::vector<std::string> everything(const InstanceIndex& index) {
    std::vector<std::string> lines;
    for (const auto level : {Level::patient, Level::study, Level::series, Level::image}) {
        Query query;
        query.level = level;
        query.want_instance = level == Level::image;
        auto done = index.find(query, [&](const Match& match) {
            std::string line = fmt::format("{}", static_cast<int>(level));
            for (const auto& attribute : match.attributes) {
                line += fmt::format("|{}={}", dicom::to_string(attribute.tag), attribute.value);
            }
            if (match.instance != nullptr) {
                line += fmt::format("|{}:{}+{} {} {}", match.instance->volume, match.instance->offset,
                                    match.instance->length, match.instance->data_set_offset,
                                    match.instance->header_length);
            }
            lines.push_back(std::move(line));
            return true;
        });
        EXPECT_TRUE(done) << (done ? "" : done.error().message());
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

}  // namespace sagitta::storage::testing
