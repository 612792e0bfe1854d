#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "command.h"
#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "missing_instances.h"
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
        received_.insert(instance.sop_instance_uid);
        bytes_ += header.size() + instance.data_set.size();
        if (progress_.is_due())
            progress_.show(fmt::format("{} instances, {}", received_.size(), readable_bytes(bytes_)));
        return Outcome(Status::success);
    }

    /// What the peer sent in a form that was refused before it came here.
    void count_unusable(std::uint64_t count) { unusable_ += count; }

    [[nodiscard]] const std::set<dicom::Uid>& received() const { return received_; }

    /// `missing`: what the peer has and did not send, after every try.
    int finish(const Outcome& outcome, std::uint64_t missing, bool json) {
        progress_.clear();
        if (json) {
            print(fmt::format("{{\"status\":\"{:04X}\",\"instances\":{},\"bytes\":{},\"failed\":{}}}",
                              net::dimse::code(outcome.status), received_.size(), bytes_, missing));
        } else {
            print(fmt::format("{} instances, {} in {}", received_.size(), readable_bytes(bytes_),
                              base_.string()));
        }
        if (missing != 0) {
            complain(fmt::format("get: {} instances were not sent", missing));
        } else if (outcome.status != Status::success) {
            complain("get: " + describe(outcome));
        }
        if (unusable_ != 0)
            complain(
                fmt::format("get: {} instances came without UIDs or data set, or were too long", unusable_));
        const bool good = outcome.status == Status::success && missing == 0 && failed_ == 0 && unusable_ == 0;
        return good ? kOk : kFailed;
    }

private:
    fs::path base_;
    std::string source_;
    Progress progress_;
    std::set<dicom::Uid> received_;
    std::uint64_t failed_ = 0;
    std::uint64_t unusable_ = 0;
    std::uint64_t bytes_ = 0;
};

dicom::Uid get_model(const Query& query) {
    namespace uids = dicom::uids;
    return *dicom::Uid::parse(query.patient_root ? uids::PatientRootQueryRetrieveInformationModelGet
                                                 : uids::StudyRootQueryRetrieveInformationModelGet);
}

// One association: all identifiers in turn; the last report, or the first that failed as a whole.
Task<Result<net::scu::RetrieveReport>> fetch(const Caller& caller, const Query& query,
                                             std::vector<net::scu::WantedContext> wanted,
                                             std::vector<dicom::DataSet> identifiers, Folder& folder) {
    namespace uids = dicom::uids;
    net::scu::WantedContext wish;
    wish.sop_class_uid = get_model(query).str();
    wish.transfer_syntaxes = {std::string(uids::ExplicitVRLittleEndian),
                              std::string(uids::ImplicitVRLittleEndian)};
    wanted.insert(wanted.begin(), wish);
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    net::scu::OnInstance on_instance = [&folder](net::scu::ReceivedInstance instance) -> Task<Outcome> {
        co_return folder.take(instance);
    };
    net::scu::OnProgress on_progress;
    net::scu::RetrieveReport last;
    for (const dicom::DataSet& identifier : identifiers) {
        auto report = co_await client.get(get_model(query), identifier, on_instance, on_progress);
        if (!report) co_return std::move(report).error();
        folder.count_unusable(report->unusable);
        last = std::move(*report);
    }
    (void)co_await client.release();
    co_return last;
}

// Each group by name, in contexts of its own. How many of its instances are not there afterwards.
Task<std::uint64_t> fetch_groups(const Caller& caller, const Query& query, std::vector<RetrieveGroup> groups,
                                 Folder& folder) {
    std::uint64_t still_missing = 0;
    for (const auto& group : groups) {
        auto identifiers = image_identifiers(group, query);
        auto contexts = group.contexts;
        auto report = co_await fetch(caller, query, std::move(contexts), std::move(identifiers), folder);
        if (!report) complain("get", report.error());
        for (const auto& instance : group.instances)
            still_missing += folder.received().contains(instance.sop_instance) ? 0u : 1u;
    }
    co_return still_missing;
}

// What did not come is looked up and fetched by name, in contexts of its own class and syntax.
Task<std::uint64_t> fetch_missing(const Caller& caller, const Query& query, Folder& folder) {
    auto missing = co_await missing_instances(caller, query, folder.received());
    if (!missing) {
        complain("get: looking up what is missing", missing.error());
        co_return 1;
    }
    auto groups = group_by_contexts(std::move(*missing));
    co_return co_await fetch_groups(caller, query, std::move(groups), folder);
}

// A node may transcode what is not offered as it is stored. When it says how everything is stored, only
// that is offered. Empty: it does not say.
Task<std::vector<RetrieveGroup>> groups_as_stored(const Caller& caller, const Query& query) {
    const std::set<dicom::Uid> none;
    auto known = co_await missing_instances(caller, query, none);
    std::vector<RetrieveGroup> groups;
    if (!known) co_return groups;
    const bool says_all = std::none_of(known->begin(), known->end(), [](const RemoteInstance& instance) {
        return instance.transfer_syntaxes.empty();
    });
    if (says_all) groups = group_by_contexts(std::move(*known));
    co_return groups;
}

Task<int> get(Caller caller, Query query, std::vector<net::scu::WantedContext> wanted, bool narrowed,
              std::string directory, bool json) {
    Folder folder(directory, caller.address.called.str());
    std::vector<RetrieveGroup> groups;
    if (!narrowed) groups = co_await groups_as_stored(caller, query);
    if (groups.size() > 1) {
        const auto missing = co_await fetch_groups(caller, query, std::move(groups), folder);
        co_return folder.finish(Outcome(missing == 0 ? Status::success : Status::coercion_of_data_elements),
                                missing, json);
    }
    if (groups.size() == 1) wanted = std::move(groups.front().contexts);
    std::vector<dicom::DataSet> identifiers{query.identifier};
    auto report = co_await fetch(caller, query, std::move(wanted), std::move(identifiers), folder);
    if (!report) {
        complain("get", report.error());
        co_return kFailed;
    }
    std::uint64_t missing = report->counts.failed;
    Outcome outcome = report->outcome;
    if (missing != 0 && !narrowed) {
        missing = co_await fetch_missing(caller, query, folder);
        if (missing == 0) outcome = Outcome(Status::success);
    }
    co_return folder.finish(outcome, missing, json);
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
    const bool narrowed = !options.sop_classes.empty() || !options.transfer_syntaxes.empty();
    net::ul::IoThreads io(1);
    return io.run(get(std::move(*caller), std::move(*query), std::move(*wanted), narrowed, options.folder,
                      options.peer.json));
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
        "The node is first asked how the instances are stored, and just that is offered, so that they come "
        "as\n"
        "they are. A node that does not say is offered the common image classes once per transfer syntax, "
        "and\n"
        "the other storage classes in one offer each; what does not come that way is fetched by name. "
        "--sop-class and --transfer-syntax take only "
        "those.\n\n"
        "Examples:\n"
        "  sagitta get PACS@10.0.0.5:104 -k StudyInstanceUID=1.2.3 -o study\n"
        "  sagitta get PACS@10.0.0.5:104 -k SeriesInstanceUID=1.2.4 -k StudyInstanceUID=1.2.3 -o . \\\n"
        "      --sop-class CTImageStorage");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
