#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "core/bytes.h"
#include "core/new_file.h"
#include "deid/original_attributes.h"
#include "deid/reidentify.h"
#include "deid/vault.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/value_text.h"
#include "dicom/writer.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using Kind = deid::Mapping::Kind;

struct Options {
    std::vector<std::string> paths;
    std::vector<std::string> pseudonyms;
    std::string vault;
    std::string key;
    std::string exported;
};

// RFC 4180, always quoted.
std::string csv_field(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

// What a line says of an entry: a UID, or the patient's or study's identifying attributes.
Result<std::string> original_fields(Kind kind, std::string_view original) {
    if (kind == Kind::uid) return csv_field(original);
    const auto read = deid::read_original_attributes(original);
    if (!read) return read.error();
    const auto set = dicom::character_set_of(read->data_set.elements(), dicom::CharacterSet());
    const auto field = [&](dicom::Tag tag) {
        const auto element = read->data_set.find(tag);
        return csv_field(element ? dicom::decoded_text(*element, set) : std::string());
    };
    if (kind == Kind::study)
        return fmt::format("{},{},{}", field(tags::StudyDate), field(tags::AccessionNumber),
                           field(tags::StudyID));
    return fmt::format("{},{},{},{},{}", field(tags::PatientID), field(tags::IssuerOfPatientID),
                       field(tags::PatientName), field(tags::PatientBirthDate), read->shift_days);
}

std::string_view heading(Kind kind) {
    switch (kind) {
        case Kind::uid: return "pseudonym,uid";
        case Kind::study: return "pseudonym,study_date,accession_number,study_id";
        case Kind::patient: return "pseudonym,patient_id,issuer,patient_name,birth_date,days_moved";
    }
    return "";
}

Result<void> print_all(Kind kind, const deid::Vault& vault) {
    print(heading(kind));
    std::optional<Error> problem;
    auto done = vault.for_each(kind, [&](std::string_view pseudonym, std::string_view original) {
        const auto fields = original_fields(kind, original);
        if (!fields) {
            problem = fields.error();
        } else {
            print(fmt::format("{},{}", csv_field(pseudonym), *fields));
        }
    });
    if (problem) return *problem;
    return done;
}

Result<void> print_one(const std::string& pseudonym, const deid::Vault& vault) {
    for (const Kind kind : {Kind::patient, Kind::study, Kind::uid}) {
        const auto found = vault.find(kind, pseudonym);
        if (!found) return found.error();
        if (!*found) continue;
        const auto fields = original_fields(kind, **found);
        if (!fields) return fields.error();
        print(heading(kind));
        print(fmt::format("{},{}", csv_field(pseudonym), *fields));
    }
    return {};
}

Result<void> restore(const std::string& path, const std::string& out, const deid::Vault& vault) {
    const auto file = dicom::read_file(path);
    if (!file) return file.error();
    const auto made = deid::reidentified(file->data_set, vault);
    if (!made) return Error(made.error()).within(path);
    const auto meta = dicom::file_meta_of(*made, file->layout.transfer_syntax_uid);
    if (!meta) return Error(meta.error()).within(path);
    const ByteBuffer header = dicom::make_file_header(*meta);
    ByteBuffer body;
    if (auto written = dicom::write_data_set(*made, *file->layout.syntax, body); !written) return written;
    const auto name = [&](dicom::Tag tag) {
        const auto uid = made->uid(tag);
        return uid ? uid->str() : std::string("none");
    };
    const fs::path folder = fs::path(out) / name(tags::StudyInstanceUID) / name(tags::SeriesInstanceUID);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return Error(Errc::io_failure, fmt::format("{}: {}", folder.string(), error.message()));
    return write_new((folder / (meta->sop_instance_uid.str() + ".dcm")).string(), header.span(),
                     std::as_const(body).span());
}

std::vector<std::string> files_of(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return {path};
    std::vector<std::string> found;
    for (auto entry = fs::recursive_directory_iterator(path, ignored);
         entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
        if (entry->is_regular_file(ignored)) found.push_back(entry->path().string());
    }
    return found;
}

int restore_all(const Options& options, deid::Vault& vault) {
    const std::string& out = options.paths.back();
    std::uint64_t written = 0, failed = 0;
    for (std::size_t at = 0; at + 1 < options.paths.size(); ++at) {
        for (const auto& path : files_of(options.paths[at])) {
            const auto restored = restore(path, out, vault);
            if (!restored) complain("", restored.error());
            ++(restored ? written : failed);
        }
    }
    sync_tree(out);
    if (auto noted = vault.note("reidentify", fmt::format("{} instances", written)); !noted) {
        complain("", noted.error());
        return kFailed;
    }
    print(fmt::format("{} written, {} failed", written, failed));
    return failed == 0 ? kOk : kFailed;
}

std::optional<Kind> parse_export(std::string_view word) {
    if (word == "patients") return Kind::patient;
    if (word == "studies") return Kind::study;
    if (word == "uids") return Kind::uid;
    return std::nullopt;
}

// Every look into the vault is written down before anything is shown.
Result<void> print_asked(const Options& options, deid::Vault& vault) {
    const auto kind = parse_export(options.exported);
    if (kind) {
        if (auto noted = vault.note("export", options.exported); !noted) return noted;
        return print_all(*kind, vault);
    }
    if (auto noted = vault.note("look up", fmt::format("{} pseudonyms", options.pseudonyms.size())); !noted)
        return noted;
    for (const auto& pseudonym : options.pseudonyms) {
        if (auto printed = print_one(pseudonym, vault); !printed) return printed;
    }
    return {};
}

int run(const Options& options) {
    const bool asks = !options.exported.empty() || !options.pseudonyms.empty();
    const bool known_export = options.exported.empty() || parse_export(options.exported);
    if (options.vault.empty() || options.key.empty() || asks == (options.paths.size() >= 2) ||
        !known_export) {
        complain(
            "give --vault, --key, and either IN and OUT, --pseudonym, or --export patients|studies|uids");
        return kUsage;
    }
    const auto key = deid::ProjectKey::load(options.key);
    std::error_code ignored;
    if (!key || !fs::exists(options.vault, ignored)) {
        complain("", key ? Error(Errc::not_found, options.vault + ": is not there") : key.error());
        return kFailed;
    }
    auto vault = deid::Vault::open(options.vault, *key);
    if (!vault) {
        complain("", vault.error());
        return kFailed;
    }
    if (!asks) return restore_all(options, *vault);
    if (auto printed = print_asked(options, *vault); !printed) {
        complain("", printed.error());
        return kFailed;
    }
    return kOk;
}

}  // namespace

void add_reidentify(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("reidentify", "The way back from pseudonyms, with the vault and the key");
    command->add_option("PATH", options->paths, "De-identified files or results, then the folder to write")
        ->type_name("IN... OUT");
    command->add_option("--vault", options->vault, "What `sagitta deid --vault` made")->type_name("FILE");
    command->add_option("--key", options->key, "Key of the project")->type_name("FILE");
    command->add_option("--pseudonym", options->pseudonyms, "Say what it stands for (repeatable)")
        ->type_name("TEXT")
        ->allow_extra_args(false);
    command->add_option("--export", options->exported, "All as CSV: patients, studies or uids")
        ->type_name("WHAT");
    command->footer(
        "Every use is a row of the vault's audit trail. What was removed or cut out does not come back.\n\n"
        "Examples:\n"
        "  sagitta reidentify results/ restored/ --vault project.vault --key project.key\n"
        "  sagitta reidentify --pseudonym P18SNAZSKJCJB8AE --vault project.vault --key project.key\n"
        "  sagitta reidentify --export uids --vault project.vault --key project.key > uids.csv");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
