#include "trace/trace_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/parser.h"
#include "dicom/transfer_syntax.h"
#include "net/ul/association.h"
#include "trace/masked.h"
#include "trace/wire_reader.h"

namespace sagitta::trace {

namespace fs = std::filesystem;
namespace ul = net::ul;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::string_view kSuffix = ".trace.txt";

std::string now_text(const char* format) {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto thousandths =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), format, &parts);
    return fmt::format("{}.{:03}Z", std::string_view(text.data(), size), thousandths);
}

/// A file that stops growing at its limit. A full disk ends it silently: the association matters more.
class TraceFile {
public:
    TraceFile(const std::string& path, std::uint64_t limit)
        : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)), limit_(limit) {}
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;
    ~TraceFile() {
        flush();
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

    void line(std::string_view text) {
        if (written_ >= limit_) return;
        waiting_.append(text).push_back('\n');
        written_ += text.size() + 1;
        if (written_ >= limit_)
            waiting_.append("# the limit of this file is reached, the rest is not written\n");
        if (waiting_.size() >= kBufferBytes) flush();
    }
    void flush() {
        std::string_view left = waiting_;
        while (!left.empty() && descriptor_ >= 0) {
            const auto count = ::write(descriptor_, left.data(), left.size());
            if (count <= 0) break;
            left.remove_prefix(static_cast<std::size_t>(count));
        }
        waiting_.clear();
    }

private:
    int descriptor_;
    std::uint64_t limit_;
    std::uint64_t written_ = 0;
    std::string waiting_;
};

class AssociationTrace final : public ul::AssociationObserver {
public:
    AssociationTrace(const std::string& path, std::uint64_t limit, std::uint64_t id, bool we_accept)
        : file_(path, limit), incoming_(*this, false), outgoing_(*this, true) {
        file_.line(fmt::format("# association {}, {}, {}", id,
                               we_accept ? "requested by the peer" : "requested by us",
                               now_text("%Y-%m-%dT%H:%M:%S")));
        file_.line("# seconds since then, < from the peer, > from us; values about patients are masked");
    }
    [[nodiscard]] bool is_open() const { return file_.is_open(); }

    void connected(const std::string& peer_address) override { say("connected to " + peer_address); }
    void received(std::span<const std::byte> bytes) override { incoming_.reader.take(bytes); }
    void sent(std::span<const std::byte> bytes) override { outgoing_.reader.take(bytes); }
    void sent_unseen(std::size_t bytes) override { outgoing_.reader.skip(bytes); }
    void ended(const ul::End& end) override {
        constexpr std::string_view kKinds[] = {"released", "aborted by the peer", "aborted by us", "rejected",
                                               "connection lost"};
        say(fmt::format("ended: {}: {}", kKinds[static_cast<std::size_t>(end.kind)], end.error.message()));
        file_.flush();
    }

private:
    /// One direction.
    struct Direction final : WireEvents {
        Direction(AssociationTrace& trace, bool ours) : owner(trace), from_us(ours), reader(*this) {}
        void control(const ul::ControlPdu& pdu, std::uint32_t bytes) override {
            owner.note_contexts(pdu);
            owner.say(fmt::format("{} {}, {} bytes", mark(), pdu_name(pdu), bytes));
            for (const auto& line : control_lines(pdu)) owner.detail(line);
            owner.file_.flush();
        }
        void fragment(const ul::PdvHeader& pdv, std::uint32_t pdu_bytes) override {
            const auto what =
                fmt::format("context {}, {}, {} bytes{}", static_cast<unsigned>(pdv.context),
                            pdv.is_command ? "command" : "data", pdv.bytes, pdv.is_last ? ", last" : "");
            if (pdu_bytes != 0) {
                owner.say(fmt::format("{} P-DATA-TF, {} bytes: {}", mark(), pdu_bytes, what));
            } else {
                owner.detail(what);
            }
        }
        void command(ul::PresentationContextId context, const net::dimse::CommandSet& command) override {
            owner.say(fmt::format("{} {} in context {}", mark(), command_name(command.field),
                                  static_cast<unsigned>(context)));
            for (const auto& line : command_lines(command, !from_us)) owner.detail(line);
            owner.file_.flush();
        }
        void data_set(ul::PresentationContextId context, const net::dimse::CommandSet& command,
                      std::span<const std::byte> first, std::uint64_t bytes, Clock::duration took) override {
            const double seconds = std::chrono::duration<double>(took).count();
            owner.say(fmt::format(
                "{} data set of {}: {} bytes in {:.6f} s{}", mark(), command_name(command.field), bytes,
                seconds,
                seconds > 0 ? fmt::format(", {:.1f} MB/s", double(bytes) / 1e6 / seconds) : std::string()));
            owner.identifier(context, first, bytes);
            owner.file_.flush();
        }
        void lost(std::string_view why, std::span<const std::byte> bytes) override {
            std::string head;
            for (const auto byte : bytes.first(std::min<std::size_t>(bytes.size(), 8)))
                head += fmt::format(" {:02X}", static_cast<unsigned>(byte));
            owner.say(fmt::format("{} not understood, and nothing behind it is: {}{}", mark(), why, head));
            owner.file_.flush();
        }
        [[nodiscard]] char mark() const { return from_us ? '>' : '<'; }

        AssociationTrace& owner;
        const bool from_us;
        WireReader reader;
    };

    void say(std::string_view text) {
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        file_.line(fmt::format("{:.6f} {}", seconds, text));
    }
    void detail(std::string_view text) { file_.line(fmt::format("    {}", text)); }

    void note_contexts(const ul::ControlPdu& pdu) {
        const auto* answer = std::get_if<ul::AssociateAc>(&pdu);
        if (answer == nullptr) return;
        for (const auto& context : answer->contexts)
            if (context.result == ul::ContextResult::acceptance)
                syntaxes_[context.id] = context.transfer_syntax;
    }

    /// Nothing of an object was kept, so this is an identifier or what an N-service says.
    void identifier(ul::PresentationContextId context, std::span<const std::byte> first,
                    std::uint64_t bytes) {
        if (first.empty()) return;
        const auto found = syntaxes_.find(context);
        const auto* syntax = found == syntaxes_.end() ? nullptr : dicom::find_transfer_syntax(found->second);
        if (syntax == nullptr || first.size() < bytes) return detail("too long to be shown");
        dicom::ParseOptions options;
        options.keep_readable_part = true;
        const auto parsed = dicom::parse_data_set(first, *syntax, options);
        if (!parsed) return detail("cannot be parsed");
        for (const auto& line : masked_lines(parsed->data_set)) detail(line);
    }

    TraceFile file_;
    const Clock::time_point start_ = Clock::now();
    std::map<ul::PresentationContextId, std::string> syntaxes_;
    Direction incoming_;
    Direction outgoing_;
};

}  // namespace

TraceFolder::TraceFolder(std::string folder, TraceLimits limits)
    : folder_(std::move(folder)), limits_(limits) {}

Result<std::shared_ptr<TraceFolder>> TraceFolder::open(std::string folder, TraceLimits limits) {
    std::error_code wrong;
    if (fs::create_directories(folder, wrong)) fs::permissions(folder, fs::perms::owner_all, wrong);
    if (!fs::is_directory(folder, wrong) || ::access(folder.c_str(), W_OK | X_OK) != 0)
        return Error(Errc::io_failure, folder + ": cannot be written to");
    std::shared_ptr<TraceFolder> made(new TraceFolder(folder, limits));
    std::vector<std::string> names;
    for (fs::directory_iterator at(folder, wrong), end; !wrong && at != end; at.increment(wrong)) {
        auto name = at->path().filename().string();
        if (name.ends_with(kSuffix)) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());  // they begin with the time
    made->files_.assign(names.begin(), names.end());
    return made;
}

void TraceFolder::make_room() {
    while (files_.size() >= limits_.max_files) {
        std::error_code ignored;
        fs::remove(fs::path(folder_) / files_.front(), ignored);
        files_.pop_front();
    }
}

std::unique_ptr<ul::AssociationObserver> TraceFolder::begin(std::uint64_t association_id, bool we_accept) {
    std::string name = fmt::format("{}-{}-{:06}-{}{}", now_text("%Y%m%dT%H%M%S"), ::getpid(), association_id,
                                   we_accept ? "in" : "out", kSuffix);
    const std::lock_guard lock(mutex_);
    make_room();
    auto trace = std::make_unique<AssociationTrace>((fs::path(folder_) / name).string(),
                                                    limits_.max_file_bytes, association_id, we_accept);
    if (!trace->is_open()) {
        log::warning("association={} its trace cannot be written", association_id);
        return nullptr;
    }
    files_.push_back(std::move(name));
    return trace;
}

}  // namespace sagitta::trace
