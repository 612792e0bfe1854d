// index-fill DIR STUDIES SEED SAMPLES: the index of an archive that was never stored, for ./dev bench index.
// Made by the writer of the index from records as a store would hand them over: STUDIES studies over ten
// years, 2 to 4 series and 20 instances each. DIR/volumes gets the sealed volumes it speaks of, as files
// without bytes. Prints, of SAMPLES studies from all over it, what a user would ask by, a line each,
// separated by tabs.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "dicom/generated/tags.h"
#include "storage/index_writer.h"
#include "storage/layout.h"

namespace {

using namespace sagitta;
using namespace sagitta::storage;
namespace tags = dicom::tags;

constexpr std::uint64_t kPerStudy = 20;
constexpr std::uint64_t kDays = 3652;              // 2015 to 2024
constexpr std::uint64_t kFile = 10'000;            // bytes of an instance
constexpr std::uint64_t kMember = 512 + 10'240;    // with tar header and padding
constexpr std::uint64_t kPerVolume = 400'000;      // 4.3 GB
constexpr std::uint64_t kPerTransaction = 10'000;  // studies

/// The same number again for the same words (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t seed, std::uint64_t what, std::uint64_t number) {
    std::uint64_t x = seed * 0x9e3779b97f4a7c15u + what * 0xd1342543de82ef95u + number;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

constexpr std::array<std::string_view, 48> kFamilies{
    "Smith",   "Nguyen",  "Garcia",  "Mueller", "Schmidt", "Martin",   "Rossi",    "Silva",
    "Kim",     "Wang",    "Johnson", "Brown",   "Jones",   "Miller",   "Davis",    "Weber",
    "Fischer", "Meyer",   "Wagner",  "Becker",  "Dubois",  "Moreau",   "Laurent",  "Simon",
    "Russo",   "Ferrari", "Bianchi", "Costa",   "Santos",  "Oliveira", "Lopez",    "Perez",
    "Sanchez", "Tanaka",  "Suzuki",  "Sato",    "Ivanov",  "Novak",    "Horvat",   "Kowalski",
    "Nowak",   "Hansen",  "Jensen",  "Nielsen", "Larsen",  "Virtanen", "Korhonen", "O'Neill"};
constexpr std::array<std::string_view, 40> kGiven{
    "Maria", "Anna",  "John",  "Peter", "Thomas", "Michael", "Susanne", "Julia", "Paul",   "Laura",
    "David", "Sofia", "Jan",   "Eva",   "Daniel", "Sarah",   "Mark",    "Linda", "Robert", "Karin",
    "Jose",  "Lucia", "Marco", "Elena", "Luca",   "Chiara",  "Pierre",  "Marie", "Yuki",   "Haruto",
    "Ivan",  "Olga",  "Piotr", "Agnes", "Lars",   "Ingrid",  "Mikko",   "Aino",  "Sean",   "Niamh"};

std::string syllables(std::uint64_t number, std::size_t count) {
    constexpr std::string_view kConsonants = "bdfgklmnprstvz";
    constexpr std::string_view kVowels = "aeiou";
    std::string text;
    for (; text.size() < 2 * count; number /= 70) {
        text += kConsonants[number % 14];
        text += kVowels[number / 14 % 5];
    }
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

/// Two in five have a common family name, the first of the list oftenest; the others one of 343,000.
std::string name_of(std::uint64_t seed, std::uint64_t patient) {
    const auto draw = mixed(seed, 1, patient);
    std::string family;
    if (draw % 5 < 2) {
        const auto share = static_cast<double>(draw / 5 % 10'000) / 10'000;
        family = kFamilies[static_cast<std::size_t>(std::pow(kFamilies.size(), share)) - 1];
    } else {
        family = syllables(draw / 5, 3);
    }
    const auto second = mixed(seed, 2, patient);
    auto given = second % 4 == 0 ? syllables(second / 4, 3) : std::string(kGiven[second / 4 % kGiven.size()]);
    return fmt::format("{}^{}", family, given);
}

std::string date_of(std::uint64_t day) {
    const std::chrono::year_month_day date(std::chrono::sys_days(std::chrono::year(2015) / 1 / 1) +
                                           std::chrono::days(day));
    return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

struct Kind {
    std::string_view modality, sop_class, description, body_part;
    std::uint64_t share;  // of a hundred studies
};
constexpr std::array<Kind, 8> kKinds{{
    {"DX", "1.2.840.10008.5.1.4.1.1.1.1", "Chest PA and lateral", "CHEST", 34},
    {"CT", "1.2.840.10008.5.1.4.1.1.2", "CT abdomen with contrast", "ABDOMEN", 24},
    {"US", "1.2.840.10008.5.1.4.1.1.6.1", "Ultrasound", "ABDOMEN", 16},
    {"MR", "1.2.840.10008.5.1.4.1.1.4", "MR brain", "HEAD", 12},
    {"MG", "1.2.840.10008.5.1.4.1.1.1.2", "Mammography screening", "BREAST", 6},
    {"XA", "1.2.840.10008.5.1.4.1.1.12.1", "Coronary angiography", "HEART", 3},
    {"PT", "1.2.840.10008.5.1.4.1.1.128", "PET whole body", "WHOLEBODY", 3},
    {"NM", "1.2.840.10008.5.1.4.1.1.20", "Bone scintigraphy", "SKELETON", 2},
}};

const Kind& kind_of(std::uint64_t draw) {
    auto left = draw % 100;
    for (const auto& kind : kKinds) {
        if (left < kind.share) return kind;
        left -= kind.share;
    }
    return kKinds.front();
}

class Filler {
public:
    Filler(IndexWriter& index, std::uint64_t studies, std::uint64_t seed, std::uint64_t samples)
        : index_(index),
          studies_(studies),
          seed_(seed),
          every_(std::max<std::uint64_t>(1, studies / samples)) {
        record_.values.resize(index_columns().size());
    }

    Result<void> run() {
        for (std::uint64_t study = 0; study < studies_; ++study) {
            if (study % kPerTransaction == 0) {
                if (auto begun = index_.begin(); !begun) return begun;
            }
            if (auto done = add_study(study); !done) return done;
            if ((study + 1) % kPerTransaction == 0 || study + 1 == studies_) {
                if (auto done = index_.commit(); !done) return done;
            }
        }
        return {};
    }

private:
    void set(dicom::Tag tag, std::string value) {
        const auto columns = index_columns();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].tag == tag) record_.values[i] = std::move(value);
        }
    }

    /// Half as scanners make them, in the order of time; half random, as those of UUIDs.
    std::string uid_of(std::uint64_t study, std::string_view date) const {
        const auto draw = mixed(seed_, 3, study);
        if (draw % 2 == 0)
            return fmt::format("2.25.{:019}{:018}", mixed(seed_, 4, study) >> 1,
                               draw % 1'000'000'000'000'000'000u);
        return fmt::format("1.2.826.0.1.3680043.10.999.{}.{}{:06}.{}", draw / 2 % 40, date,
                           draw / 80 % 86'400, study);
    }

    Result<void> add_study(std::uint64_t study) {
        const auto draw = mixed(seed_, 5, study);
        const auto patient = mixed(seed_, 6, study) % std::max<std::uint64_t>(1, studies_ * 2 / 5);
        const auto date = date_of(study * kDays / studies_);
        const auto uid = uid_of(study, date);
        const auto& kind = kind_of(draw);
        const auto accession = fmt::format("RIS{:09}", study * 7 + draw % 7);
        const auto patient_id = fmt::format("{:08}", patient * 38'462'347 % 100'000'000);
        const auto name = name_of(seed_, patient);
        set(tags::PatientID, patient_id);
        set(tags::IssuerOfPatientID, "");
        set(tags::PatientName, name);
        set(tags::PatientBirthDate,
            fmt::format("19{:02}{:02}{:02}", mixed(seed_, 8, patient) % 100,
                        1 + mixed(seed_, 9, patient) % 12, 1 + mixed(seed_, 10, patient) % 28));
        set(tags::PatientSex, patient % 2 == 0 ? "F" : "M");
        set(tags::StudyInstanceUID, uid);
        set(tags::StudyID, fmt::format("{}", study % 100'000));
        set(tags::StudyDate, date);
        set(tags::StudyTime,
            fmt::format("{:02}{:02}{:02}", 7 + draw / 100 % 12, draw / 1200 % 60, draw / 72'000 % 60));
        set(tags::AccessionNumber, accession);
        set(tags::StudyDescription, std::string(kind.description));
        set(tags::ReferringPhysicianName, fmt::format("{}^Dr", kFamilies[draw / 7 % kFamilies.size()]));
        set(tags::InstitutionName, "GENERAL HOSPITAL");
        set(tags::Manufacturer, "SYNTHETIC");
        set(tags::StationName, fmt::format("{}{}", kind.modality, draw / 2 % 40));
        record_.study_instance_uid = dicom::Uid::parse(uid).value_or(dicom::Uid());
        record_.transfer_syntax_uid = "1.2.840.10008.1.2.1";
        const auto series = 2 + draw / 3 % 3;
        for (std::uint64_t n = 0; n < kPerStudy; ++n) {
            const auto of_series = n * series / kPerStudy;
            // The last series of one study in five is a report, PET comes with CT.
            const bool is_report = of_series + 1 == series && draw / 11 % 5 == 0;
            const auto& its = kind.modality == "PT" && of_series == 0 ? kKinds[1] : kind;
            set(tags::Modality, is_report ? "SR" : std::string(its.modality));
            record_.sop_class_uid = is_report ? "1.2.840.10008.5.1.4.1.1.88.22" : std::string(its.sop_class);
            if (auto done = add_instance(study, n, of_series, its, date, uid); !done) return done;
        }
        if (study % every_ == every_ / 2) {
            fmt::print("{}\t{}\t{}\t{}\t{}.1\t{}\t{}\n", patient_id, name, accession, uid, uid, date,
                       kind.modality);
        }
        return {};
    }

    Result<void> add_instance(std::uint64_t study, std::uint64_t n, std::uint64_t series, const Kind& kind,
                              const std::string& date, const std::string& uid) {
        const auto series_uid = fmt::format("{}.{}", uid, series + 1);
        const auto sop_uid = fmt::format("{}.{}", series_uid, n + 1);
        set(tags::SeriesInstanceUID, series_uid);
        set(tags::SeriesNumber, fmt::format("{}", series + 1));
        set(tags::SeriesDescription, fmt::format("{} {}", kind.modality, series + 1));
        set(tags::SeriesDate, date);
        set(tags::BodyPartExamined, std::string(kind.body_part));
        set(tags::SOPInstanceUID, sop_uid);
        set(tags::SOPClassUID, record_.sop_class_uid);
        set(tags::InstanceNumber, fmt::format("{}", n + 1));
        set(tags::ContentDate, date);
        set(tags::Rows, "512");
        set(tags::Columns, "512");
        record_.series_instance_uid = dicom::Uid::parse(series_uid).value_or(dicom::Uid());
        record_.sop_instance_uid = dicom::Uid::parse(sop_uid).value_or(dicom::Uid());
        const auto number = study * kPerStudy + n;
        for (std::size_t i = 0; i < record_.digest.bytes.size(); ++i) {
            record_.digest.bytes[i] = static_cast<std::byte>(mixed(seed_, 11 + i / 8, number) >> (i % 8 * 8));
        }
        record_.data_set_offset = 340;
        record_.data_set_length = kFile - 340;
        record_.header_length = 1'800;
        IndexEntry entry;
        entry.record = &record_;
        entry.volume = static_cast<std::uint32_t>(1 + number / kPerVolume);
        entry.offset = number % kPerVolume * kMember + 512;
        entry.length = kFile;
        entry.received = 1'420'070'400 + static_cast<std::int64_t>(study * kDays / studies_) * 86'400;
        auto row = index_.insert(entry);
        if (!row) return std::move(row).error();
        if (*row) return Error(Errc::already_exists, "two instances got one UID");
        return {};
    }

    IndexWriter& index_;
    const std::uint64_t studies_;
    const std::uint64_t seed_;
    const std::uint64_t every_;
    InstanceRecord record_;
};

/// The volumes the rows point into: as long as they say, sealed, and without a byte.
Result<void> make_volumes(const Layout& layout, IndexWriter& index, std::uint64_t instances) {
    std::filesystem::create_directories(layout.volumes());
    if (auto begun = index.begin(); !begun) return begun;
    std::uint32_t number = 1;
    for (auto left = instances; left > 0; ++number) {
        const auto here = std::min(left, kPerVolume);
        left -= here;
        auto file = real_file_system().open(layout.volume(number), OpenMode::create);
        if (!file) return std::move(file).error();
        if (auto done = (*file)->truncate(here * kMember); !done) return done;
        if (auto done = index.set_mark({number, here * kMember, true}); !done) return done;
    }
    return index.commit();
}

Result<void> fill(const std::string& folder, std::uint64_t studies, std::uint64_t seed,
                  std::uint64_t samples) {
    const Layout layout{folder};
    std::filesystem::create_directories(folder);
    auto index = IndexWriter::open(layout.index(), IndexWriter::Purpose::rebuild);
    if (!index) return std::move(index).error();
    if (auto done = Filler(**index, studies, seed, samples).run(); !done) return done;
    if (auto done = make_volumes(layout, **index, studies * kPerStudy); !done) return done;
    return (*index)->optimize();
}

}  // namespace

int main(int count, char** words) {
    if (count != 5) {
        std::fprintf(stderr, "usage: index-fill DIR STUDIES SEED SAMPLES\n");
        return 2;
    }
    const auto number = [&](int at) { return std::strtoull(words[at], nullptr, 10); };
    if (number(2) == 0 || number(4) == 0) return 2;
    if (auto done = fill(words[1], number(2), number(3), number(4)); !done) {
        std::fprintf(stderr, "index-fill: %s\n", done.error().message().c_str());
        return 1;
    }
    return 0;
}
