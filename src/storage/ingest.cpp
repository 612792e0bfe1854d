#include "storage/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/log.h"
#include "storage/digest.h"
#include "storage/quarantine.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kRecordCost = 2048;  // bytes a queued record takes, about

std::int64_t now_seconds() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t file_length(const IncomingInstance& instance) {
    if (instance.spooled) return instance.spooled->length();
    return instance.file_header.size() + instance.data_set.size();
}

std::uint64_t cost_of(const IncomingInstance& instance) {
    auto cost = instance.file_header.size() + instance.data_set.size() + kRecordCost;
    for (const auto& value : instance.record.values) cost += value.size();
    return cost;
}

bool same_data_set(const InstanceRecord& record, const StoredDataSet& stored) {
    return record.digest == stored.digest && record.data_set_length == stored.data_set_length;
}

/// Errors of a task that do no harm to what comes after it.
bool leaves_nothing(Errc code) {
    return code == Errc::not_found || code == Errc::invalid_argument || code == Errc::refused ||
           code == Errc::unsupported || code == Errc::no_space;
}

/// Where there is room for it the file header goes before the data set, zeros behind it, and all of the
/// member is one run.
std::span<std::byte> whole_member(IncomingInstance& instance) {
    const auto header = instance.file_header.span();
    auto& data_set = instance.data_set;
    const auto front = data_set.front();
    const auto padding = tar_padding(header.size() + data_set.size());
    if (front.size() != front_room(header.size()) || data_set.capacity() - data_set.size() < padding)
        return {};
    std::copy(header.begin(), header.end(), front.begin() + kTarBlock);
    const auto behind = data_set.prepare(padding);
    std::fill(behind.begin(), behind.end(), std::byte{0});
    return {front.data(), front.size() + data_set.size() + padding};
}

bool agrees(const IncomingInstance& instance) {
    const auto& record = instance.record;
    const auto* spooled = instance.spooled.get();
    const auto header = spooled ? spooled->file_header_length() : instance.file_header.size();
    const auto data_set = spooled ? spooled->data_set_length() : instance.data_set.size();
    return record.data_set_offset == header && record.data_set_length == data_set &&
           record.values.size() == index_columns().size() && !record.study_instance_uid.empty() &&
           !record.series_instance_uid.empty() && !record.sop_instance_uid.empty();
}

}  // namespace

Ingest::Ingest(const ArchiveOptions& options, FileSystem& file_system, Layout layout,
               std::unique_ptr<IndexWriter> index, std::unique_ptr<MemberWriter> writer)
    : options_(options),
      file_system_(file_system),
      layout_(std::move(layout)),
      index_(std::move(index)),
      writer_(std::move(writer)),
      thread_([this] { run(); }) {}

Ingest::~Ingest() {
    close();
}

Result<void> Ingest::submit(IncomingInstance instance, IngestCompletion done) {
    if (!agrees(instance))
        return Error(Errc::invalid_argument, "the index record does not describe these bytes");
    Pending pending;
    pending.checksum = instance.spooled
                           ? instance.spooled->checksum()
                           : member_checksum({instance.file_header.span(), instance.data_set.span()});
    pending.cost = instance.has_own_budget ? 0 : cost_of(instance);
    pending.received = now_seconds();
    pending.instance = std::move(instance);
    pending.done = std::move(done);
    {
        const std::lock_guard lock(mutex_);
        if (closing_) return Error(Errc::shutting_down, "the archive is closing");
        if (status_.failed) return Error(Errc::io_failure, status_.failure);
        // One that is larger than the whole budget still gets in, alone.
        const bool has_room = status_.queued_instances == 0 || pending.cost == 0 ||
                              status_.queued_bytes + pending.cost <= options_.memory_budget;
        if (!has_room) {
            return Error(Errc::limit_exceeded,
                         fmt::format("{} bytes are waiting to be stored already", status_.queued_bytes));
        }
        ++status_.queued_instances;
        status_.queued_bytes += pending.cost;
        queue_.push_back(std::move(pending));
    }
    wake_.notify_one();
    return {};
}

void Ingest::mark_sealed(std::uint32_t volume) {
    {
        const std::lock_guard lock(mutex_);
        sealed_.push_back(volume);
    }
    wake_.notify_one();
}

void Ingest::set_room(const Room& room) {
    const std::lock_guard lock(mutex_);
    room_ = room;
}

Room Ingest::room() const {
    const std::lock_guard lock(mutex_);
    return room_;
}

Result<void> Ingest::exclusively(Task task) {
    std::future<Result<void>> done;
    {
        const std::lock_guard lock(mutex_);
        if (closing_) return Error(Errc::shutting_down, "the archive is closing");
        if (status_.failed) return Error(Errc::io_failure, status_.failure);
        tasks_.push_back({std::move(task), {}});
        done = tasks_.back().done.get_future();
    }
    wake_.notify_one();
    return done.get();
}

ArchiveStatus Ingest::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void Ingest::close() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Ingest::run() {
    while (true) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock,
                       [this] { return closing_ || !queue_.empty() || !sealed_.empty() || !tasks_.empty(); });
            if (queue_.empty() && sealed_.empty() && tasks_.empty()) return;
        }
        flush_seals();
        run_tasks();
        auto batch = take_batch();
        if (!batch.empty()) process(std::move(batch));
        if (nothing_waits()) settle();
    }
}

bool Ingest::nothing_waits() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty();
}

void Ingest::run_tasks() {
    std::deque<PendingTask> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
    }
    if (!tasks.empty()) settle();
    for (auto& task : tasks) {
        const auto now = status();
        auto done =
            now.failed ? Result<void>(Error(Errc::io_failure, now.failure)) : task.run(*index_, *writer_);
        if (!done && !now.failed && !leaves_nothing(done.error().code)) fail(done.error());
        task.done.set_value(std::move(done));
    }
}

/// As many as wait, but no more than one write should hold or the open volume takes; one that has a file
/// already goes alone.
Ingest::Batch Ingest::take_batch() {
    const auto most_bytes = std::min(options_.max_batch_bytes, writer_->room());
    Batch batch;
    std::uint64_t bytes = 0;
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && batch.size() < options_.max_batch_count) {
        bytes += tar_footprint(file_length(queue_.front().instance));
        const bool alone = queue_.front().instance.spooled != nullptr;
        if (!batch.empty() && (alone || bytes > most_bytes)) break;
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
        if (alone) break;
    }
    return batch;
}

/// Leaves what was written for later when something waits: it is indexed while that is written.
void Ingest::process(Batch batch) {
    if (unindexed_ && !may_follow(batch)) settle();
    if (const auto now = status(); now.failed)
        return refuse_all(std::move(batch), Error(Errc::io_failure, now.failure));
    auto verdicts = judge(batch);
    if (!verdicts) {
        settle();
        fail(verdicts.error());
        return refuse_all(std::move(batch), Error(Errc::io_failure, verdicts.error().context));
    }
    Judged judged{std::move(batch), std::move(*verdicts)};
    auto stored = store(judged);
    if (stored && !judged.written.empty()) {
        unindexed_ = std::move(judged);
        return;
    }
    if (!stored) {
        if (stored.error().code != Errc::no_space) fail(stored.error());
        for (auto& verdict : judged.verdicts) {
            if (verdict.write) verdict.error = stored.error();
        }
    }
    answer(judged);
}

/// Whether it can be judged and written before what was written last is indexed: they share no instance, and
/// both could be taken back.
bool Ingest::may_follow(const Batch& batch) const {
    std::set<std::string_view> before;
    for (const auto& pending : unindexed_->batch) {
        if (pending.instance.spooled) return false;
        before.insert(pending.instance.record.sop_instance_uid.view());
    }
    std::uint64_t bytes = 0;
    for (const auto& pending : batch) {
        if (pending.instance.spooled || before.contains(pending.instance.record.sop_instance_uid.view()))
            return false;
        bytes += tar_footprint(file_length(pending.instance));
    }
    return room().studies == kNoLimit && writer_->can_follow(bytes);
}

/// Errors are those that end the ingest; one instance's own is in its verdict.
Result<std::vector<Ingest::Verdict>> Ingest::judge(Batch& batch) {
    std::vector<Verdict> verdicts;
    verdicts.reserve(batch.size());
    begun_studies_.clear();
    std::unordered_map<std::string_view, std::size_t> in_batch;  // the one that will be served
    for (std::size_t n = 0; n < batch.size(); ++n) {
        auto verdict = judge_one(batch[n], n, batch, in_batch);
        if (!verdict) return std::move(verdict).error();
        if (verdict->write) {
            auto refused = refuse(batch[n]);
            if (!refused) return std::move(refused).error();
            verdict->error = std::move(*refused);
            verdict->write = !verdict->error;
        }
        if (verdict->write) in_batch[batch[n].instance.record.sop_instance_uid.view()] = n;
        verdicts.push_back(std::move(*verdict));
    }
    return verdicts;
}

/// An error when there is no room for it: what is stored already needs none.
Result<std::optional<Error>> Ingest::refuse(const Pending& pending) {
    const auto& study = pending.instance.record.study_instance_uid;
    bool begins_study = false;
    if (room().studies != kNoLimit && !begun_studies_.contains(study.view())) {
        auto known = index_->has_study(study);
        if (!known) return std::move(known).error();
        begins_study = !*known;
    }
    const auto length = file_length(pending.instance);
    const std::lock_guard lock(mutex_);
    if (length > room_.bytes)
        return std::optional(Error(Errc::no_space, "the quota of the archive is reached"));
    if (begins_study && room_.studies == 0)
        return std::optional(Error(Errc::no_space, "the archive holds as many studies as it may"));
    if (room_.bytes != kNoLimit) room_.bytes -= length;
    if (begins_study) {
        if (room_.studies != kNoLimit) --room_.studies;
        begun_studies_.emplace(study.view());
    }
    return std::optional<Error>();
}

Result<Ingest::Verdict> Ingest::judge_one(const Pending& pending, std::size_t n, Batch& batch,
                                          const std::unordered_map<std::string_view, std::size_t>& in_batch) {
    const auto& record = pending.instance.record;
    Verdict verdict;
    verdict.as = n;
    std::optional<StoredDataSet> present;
    const Pending* earlier = nullptr;
    if (const auto known = in_batch.find(record.sop_instance_uid.view()); known != in_batch.end()) {
        verdict.as = known->second;
        earlier = &batch[known->second];
        const auto& other = earlier->instance.record;
        present = StoredDataSet{other.digest, other.data_set_length, 0, 0, 0};
    } else {
        auto stored = index_->stored(record.sop_instance_uid);
        if (!stored) return std::move(stored).error();
        present = *stored;
    }
    if (present && same_data_set(record, *present)) {
        verdict.outcome = IngestOutcome::duplicate_identical;
        return verdict;
    }
    if (present) {
        auto judged = judge_conflict(pending, earlier, *present, std::move(verdict));
        if (judged && judged->write) judged->as = n;
        return judged;
    }
    verdict.write = true;
    return verdict;
}

/// Other content under a UID that is stored, or will be with `earlier` of this batch: one of the two
/// goes to quarantine, durably, before the answer.
Result<Ingest::Verdict> Ingest::judge_conflict(const Pending& pending, const Pending* earlier,
                                               const StoredDataSet& present, Verdict verdict) {
    const auto& [header, data_set, record, spooled, decided, own_budget] = pending.instance;
    if (decided.value_or(options_.on_conflict) == OnConflict::replace) {
        verdict.outcome = IngestOutcome::conflict_replaced;
        auto kept = keep_replaced(earlier, record.sop_instance_uid, present);
        verdict.write = kept.has_value();
        if (kept) return verdict;
        // Refused, whatever went wrong with the copy: the first stays served.
        const auto code = kept.error().code == Errc::no_space ? Errc::no_space : Errc::io_failure;
        verdict.error = Error(code, std::move(kept).error().context).within("keeping what would be replaced");
        log::error("storage: an instance was not replaced: {}", verdict.error->message());
        return verdict;
    }
    verdict.outcome = IngestOutcome::conflict_quarantined;
    const AsideName name{record.sop_instance_uid, record.digest};
    auto kept = spooled ? keep_copy_aside(file_system_, layout_, name, spooled->file(), spooled->offset(),
                                          spooled->length())
                        : keep_aside(file_system_, layout_, name, header.span(), data_set.span());
    if (!kept && kept.error().code != Errc::no_space) return std::move(kept).error();
    if (!kept)
        verdict.error = std::move(kept).error();
    else
        log::warning("storage: a stored instance came again with other content; kept in quarantine");
    return verdict;
}

Result<void> Ingest::keep_replaced(const Pending* earlier, const dicom::Uid& uid,
                                   const StoredDataSet& present) {
    const AsideName name{uid, present.digest};
    if (earlier != nullptr) {
        const auto& instance = earlier->instance;
        return keep_aside(file_system_, layout_, name, instance.file_header.span(), instance.data_set.span());
    }
    return keep_stored_aside(file_system_, layout_, name,
                             {present.volume, present.offset, present.offset + present.length});
}

/// Volume and sync; what was written before is indexed and answered by then. no_space: nothing of it
/// happened. Anything else: nothing more may happen.
Result<void> Ingest::store(Judged& judged) {
    std::vector<NewMember> members;
    std::uint64_t bytes = 0;
    for (std::size_t n = 0; n < judged.batch.size(); ++n) {
        if (!judged.verdicts[n].write) continue;
        auto& [instance, done, checksum, received, cost] = judged.batch[n];
        NewMember member{
            instance_member(instance.record.study_instance_uid, instance.record.series_instance_uid,
                            instance.record.sop_instance_uid),
            instance.file_header.span(), std::as_const(instance.data_set).span(), whole_member(instance)};
        member.header.size = file_length(instance);
        member.header.modified = received;
        member.header.checksum = checksum;
        bytes += tar_footprint(member.header.size);
        members.push_back(std::move(member));
        judged.written.push_back(n);
    }
    if (members.empty()) return {};
    if (unindexed_) return write_beside_indexing(judged, members, bytes);
    auto placement = write(members, bytes, judged.batch[judged.written.front()].instance.spooled.get());
    if (!placement) return std::move(placement).error();
    judged.placement = std::move(*placement);
    return {};
}

Result<void> Ingest::write_beside_indexing(Judged& judged, const std::vector<NewMember>& members,
                                           std::uint64_t bytes) {
    Result<void> indexed;
    beside_.begin([this, &indexed] { indexed = index_and_answer(*unindexed_); });
    auto placement = write(members, bytes, nullptr);
    beside_.wait();
    if (!placement && placement.error().code != Errc::no_space) fail(placement.error());
    if (!indexed && placement) {
        // What lies behind something that is taken back cannot stay either.
        const Error why = indexed.error();
        if (why.code == Errc::no_space) {
            if (auto undone = writer_->undo_append(); !undone) fail(undone.error());
        }
        placement = why;
    }
    conclude(std::move(indexed));
    if (!placement) return std::move(placement).error();
    judged.placement = std::move(*placement);
    return {};
}

/// Indexes and answers what was written, if there is such.
void Ingest::settle() {
    if (unindexed_) conclude(index_and_answer(*unindexed_));
}

/// The end of what was written last. It has been answered when all went well.
void Ingest::conclude(Result<void> indexed) {
    auto judged = std::move(*unindexed_);
    unindexed_.reset();
    if (indexed) return;
    index_->rollback();
    Error why = std::move(indexed).error();
    if (why.code == Errc::no_space && !status().failed) {
        if (auto undone = writer_->undo_append(); !undone) why = undone.error();
    }
    if (why.code != Errc::no_space) fail(why);
    for (auto& verdict : judged.verdicts) {
        if (verdict.write) verdict.error = why;
    }
    answer(judged);
}

Result<void> Ingest::index_and_answer(Judged& judged) {
    if (auto indexed = index_batch(judged); !indexed) return indexed;
    answer(judged);
    return {};
}

/// `spooled`: of the only one, when it has a file already.
Result<Placement> Ingest::write(const std::vector<NewMember>& members, std::uint64_t bytes,
                                SpooledInstance* spooled) {
    if (spooled != nullptr) return writer_->adopt(members.front().header, *spooled);
    if (auto room = writer_->reserve(bytes); !room) return std::move(room).error();
    return writer_->append(members);
}

Result<void> Ingest::index_batch(const Judged& judged) {
    const auto& [batch, verdicts, written, placement] = judged;
    if (auto begun = index_->begin(); !begun) return begun;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const auto& pending = batch[written[i]];
        auto row = index_->insert({&pending.instance.record, placement.volume, placement.offsets[i],
                                   file_length(pending.instance), pending.received});
        if (!row) return std::move(row).error();
    }
    if (auto marked = index_->set_mark({placement.volume, placement.end, false}); !marked) return marked;
    return index_->commit();
}

void Ingest::answer(Judged& judged) {
    auto& batch = judged.batch;
    const auto& verdicts = judged.verdicts;
    std::uint64_t bytes = 0;
    std::uint64_t stored = 0, stored_bytes = 0;
    for (std::size_t n = 0; n < batch.size(); ++n) {
        bytes += batch[n].cost;
        if (!verdicts[n].write || verdicts[n].error) continue;
        ++stored;
        stored_bytes += file_length(batch[n].instance);
    }
    {
        const std::lock_guard lock(mutex_);
        status_.stored_instances += stored;
        status_.stored_bytes += stored_bytes;
        status_.queued_instances -= batch.size();
        status_.queued_bytes -= bytes;
        ++status_.batches;
    }
    for (std::size_t n = 0; n < batch.size(); ++n) {
        // A duplicate of one in this batch is as safe as that one is.
        batch[n].instance.spooled.reset();  // what was not taken is gone before the answer
        const auto& error = verdicts[n].error ? verdicts[n].error : verdicts[verdicts[n].as].error;
        batch[n].done(error ? Result<IngestOutcome>(*error) : Result<IngestOutcome>(verdicts[n].outcome));
    }
}

void Ingest::refuse_all(Batch batch, const Error& error) {
    Judged judged{std::move(batch), {}};
    judged.verdicts.resize(judged.batch.size());
    for (std::size_t n = 0; n < judged.batch.size(); ++n) {
        judged.verdicts[n].as = n;
        judged.verdicts[n].error = error;
    }
    answer(judged);
}

void Ingest::fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(status_.failed, true)) return;
    log::error("storage: nothing more is stored until a restart: {}", error.message());
    status_.failure =
        fmt::format("the archive has failed and stores nothing until a restart: {}", error.message());
}

void Ingest::flush_seals() {
    std::vector<std::uint32_t> sealed;
    {
        const std::lock_guard lock(mutex_);
        sealed.swap(sealed_);
        if (status_.failed) return;
    }
    if (sealed.empty()) return;
    settle();
    if (auto done = write_seals(sealed); !done) {
        // Harmless: the next start sees the manifests themselves.
        index_->rollback();
        log::warning("storage: noting sealed volumes failed: {}", done.error().message());
    }
}

Result<void> Ingest::write_seals(const std::vector<std::uint32_t>& sealed) {
    if (auto begun = index_->begin(); !begun) return begun;
    for (const auto number : sealed) {
        if (auto marked = index_->set_mark({number, 0, true}); !marked) return marked;
    }
    return index_->commit();
}

}  // namespace sagitta::storage
