#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "retrieve_contexts.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
using net::dimse::Outcome;
using net::dimse::Status;

struct Options {
    PeerOptions peer;
    QueryOptions query;
    std::vector<std::string> sop_classes;
    std::vector<std::string> transfer_syntaxes;
    std::string folder;
};

// DIR/StudyInstanceUID/SeriesInstanceUID: parts are Uids, so no part of it is a path of its own.
fs::path folder_of(const net::scu::ReceivedInstance& instance, const fs::path& base) {
    const auto* syntax = dicom::find_transfer_syntax(instance.transfer_syntax_uid);
    dicom::ParseOptions options;
    options.stop_before_pixel_data = true;
    options.keep_readable_part = true;
    auto parsed = dicom::parse_data_set(
        instance.data_set.span(), syntax != nullptr ? *syntax : dicom::explicit_vr_little_endian(), options);
    if (!parsed) return base;
    const auto study = parsed->data_set.uid(dicom::tags::StudyInstanceUID);
    const auto series = parsed->data_set.uid(dicom::tags::SeriesInstanceUID);
    if (!study || !series) return base;
    return base / study->str() / series->str();
}

Result<void> write_file(const fs::path& path, std::span<const std::byte> header,
                        std::span<const std::byte> data_set) {
    const fs::path unfinished = path.string() + ".part";
    std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
    for (const auto bytes : {header, data_set}) {
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    file.close();
    std::error_code wrong;
    if (file) fs::rename(unfinished, path, wrong);
    if (file && !wrong) return {};
    fs::remove(unfinished, wrong);
    return Error(Errc::io_failure, path.string() + ": cannot be written");
}

/// Files what comes. The bytes of a data set stay as they came.
class Folder {
public:
    Folder(std::string base, std::string source) : base_(std::move(base)), source_(std::move(source)) {}

    Outcome take(const net::scu::ReceivedInstance& instance) {
        const fs::path folder = folder_of(instance, base_);
        std::error_code wrong;
        fs::create_directories(folder, wrong);
        dicom::FileMeta meta;
        meta.sop_class_uid = instance.sop_class_uid;
        meta.sop_instance_uid = instance.sop_instance_uid;
        meta.transfer_syntax_uid = instance.transfer_syntax_uid;
        meta.source_ae_title = source_;
        const ByteBuffer header = dicom::make_file_header(meta);
        const auto written = write_file(folder / (instance.sop_instance_uid.str() + ".dcm"), header.span(),
                                        instance.data_set.span());
        if (!written) {
            progress_.clear();
            complain("get", written.error());
            ++failed_;
            return Outcome(Status::out_of_resources, "cannot be written");
        }
        ++instances_;
        bytes_ += header.size() + instance.data_set.size();
        if (progress_.is_due())
            progress_.show(fmt::format("{} instances, {}", instances_, readable_bytes(bytes_)));
        return Outcome(Status::success);
    }

    int finish(const net::scu::RetrieveReport& report, bool json) {
        progress_.clear();
        const auto& counts = report.counts;
        if (json) {
            print(fmt::format(
                "{{\"status\":\"{:04X}\",\"instances\":{},\"bytes\":{},\"failed\":{},\"warning\":{}}}",
                net::dimse::code(report.outcome.status), instances_, bytes_, counts.failed, counts.warning));
        } else {
            print(fmt::format("{} instances, {} in {}; {}", instances_, readable_bytes(bytes_),
                              base_.string(), describe(report.outcome)));
            if (counts.failed != 0) {
                complain(fmt::format(
                    "{} instances were not sent: their SOP class or transfer syntax may not have been "
                    "offered (--sop-class, --transfer-syntax)",
                    counts.failed));
            }
        }
        const bool good = report.outcome.status == Status::success && counts.failed == 0 && failed_ == 0;
        return good ? kOk : kFailed;
    }

private:
    fs::path base_;
    std::string source_;
    Progress progress_;
    std::uint64_t instances_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t bytes_ = 0;
};

Task<int> get(Caller caller, Query query, std::vector<net::scu::WantedContext> wanted, std::string directory,
              bool json) {
    namespace uids = dicom::uids;
    const auto sop_class =
        *dicom::Uid::parse(query.patient_root ? uids::PatientRootQueryRetrieveInformationModelGet
                                              : uids::StudyRootQueryRetrieveInformationModelGet);
    net::scu::WantedContext wish;
    wish.sop_class_uid = sop_class.str();
    wish.transfer_syntaxes = {std::string(uids::ExplicitVRLittleEndian),
                              std::string(uids::ImplicitVRLittleEndian)};
    wanted.insert(wanted.begin(), wish);
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) {
        complain("get", opened.error());
        co_return kFailed;
    }
    auto& client = **opened;
    Folder folder(directory, caller.address.called.str());
    net::scu::OnInstance on_instance = [&folder](net::scu::ReceivedInstance instance) -> Task<Outcome> {
        co_return folder.take(instance);
    };
    net::scu::OnProgress on_progress;
    auto report = co_await client.get(sop_class, query.identifier, on_instance, on_progress);
    if (!report) {
        complain("get", report.error());
        co_return kFailed;
    }
    (void)co_await client.release();
    co_return folder.finish(*report, json);
}

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    auto query = make_query(options.query, {});
    auto wanted = retrieve_contexts(options.sop_classes, options.transfer_syntaxes);
    if (!caller || !query || !wanted) {
        if (!caller) complain("", caller.error());
        if (!query) complain("", query.error());
        if (!wanted) complain("", wanted.error());
        return kUsage;
    }
    std::error_code wrong;
    fs::create_directories(options.folder, wrong);
    if (!fs::is_directory(options.folder, wrong)) {
        complain(fmt::format("{}: cannot be made", options.folder));
        return kFailed;
    }
    net::ul::IoThreads io(1);
    return io.run(
        get(std::move(*caller), std::move(*query), std::move(*wanted), options.folder, options.peer.json));
}

}  // namespace

void add_get(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("get", "Fetch instances from a node into a folder (C-GET)");
    add_peer_options(*command, options->peer);
    add_query_options(*command, options->query);
    command->add_option("-o,--output", options->folder, "Folder; made when absent")
        ->required()
        ->type_name("DIR");
    command
        ->add_option("--sop-class", options->sop_classes,
                     "Offer only this SOP class, by keyword or UID (repeatable)")
        ->type_name("CLASS")
        ->allow_extra_args(false);
    command
        ->add_option("--transfer-syntax", options->transfer_syntaxes,
                     "Offer only this transfer syntax, by keyword or UID (repeatable)")
        ->type_name("SYNTAX")
        ->allow_extra_args(false);
    command->footer(
        "Writes DIR/StudyInstanceUID/SeriesInstanceUID/SOPInstanceUID.dcm, the data set as it was sent.\n"
        "An association has room for 128 offers: the common image classes are offered once per transfer\n"
        "syntax, so that the node can send what it has; other storage classes share one offer. Narrow it\n"
        "down with --sop-class and --transfer-syntax when something is missing.\n\n"
        "Examples:\n"
        "  sagitta get PACS@10.0.0.5:104 -k StudyInstanceUID=1.2.3 -o study\n"
        "  sagitta get PACS@10.0.0.5:104 -k SeriesInstanceUID=1.2.4 -k StudyInstanceUID=1.2.3 -o . \\\n"
        "      --sop-class CTImageStorage");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
