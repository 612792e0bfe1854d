#include "service/query_scp.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/log.h"
#include "service/batch_queue.h"
#include "service/dimse_status.h"
#include "service/identifier.h"
#include "service/match_builder.h"

namespace sagitta::service {
namespace {

using net::dimse::AssociationInfo;
using net::dimse::Outcome;
using net::dimse::Status;

constexpr std::size_t kBatch = 128;

// What the searching thread and the answering coroutine share.
struct Search {
    Identifier identifier;
    BatchQueue<dicom::DataSet> queue;
    std::optional<Error> failure;  // written before queue.finish()
    bool limit_reached = false;
};

// Runs on a worker: walks the index and turns rows into answers.
void search(Search& state, const storage::InstanceIndex& index, const storage::InstanceStore& store,
            const QueryScpSettings& settings) {
    storage::Query query;
    query.level = state.identifier.level;
    query.keys = state.identifier.keys;
    const MatchBuilder builder(state.identifier, store, settings.retrieve_ae_title);
    query.want_instance = builder.needs_instance();
    std::vector<dicom::DataSet> batch;
    std::uint64_t built = 0;
    const auto each = [&](const storage::Match& match) {
        auto answer = builder.build(match);
        if (!answer) {
            state.failure = std::move(answer).error();
            return false;
        }
        if (!*answer) return true;
        if (settings.max_matches != 0 && built == settings.max_matches) {
            state.limit_reached = true;
            return false;
        }
        ++built;
        batch.push_back(std::move(**answer));
        if (batch.size() < kBatch) return true;
        return state.queue.push(std::exchange(batch, {}));
    };
    auto found = index.find(query, each);
    if (!found) state.failure = std::move(found).error();
    if (!batch.empty()) (void)state.queue.push(std::move(batch));
    state.queue.finish();
}

}  // namespace

Task<Outcome> QueryScp::find(const AssociationInfo& association, net::dimse::QueryRequest request,
                             net::dimse::FindResponder& out) {
    auto identifier = read_identifier(request.identifier.span(), *request.syntax, request.sop_class_uid);
    if (!identifier) co_return query_outcome(identifier.error());
    auto state = std::make_shared<Search>();
    state->identifier = std::move(*identifier);
    auto work = [state, this] { search(*state, index_, store_, settings_); };
    workers_.post(std::move(work));

    std::uint64_t sent = 0;
    bool stopped = false;
    while (auto batch = co_await state->queue.pop()) {
        for (const dicom::DataSet& match : *batch) {
            stopped = stopped || out.cancelled();
            if (stopped) break;
            auto answered = co_await out.pending(match);
            stopped = !answered.has_value();
            ++sent;
        }
        if (stopped) state->queue.abandon();
    }
    log::debug("association={} find level={} matches={}", association.id, state->identifier.level_text, sent);
    if (stopped || out.cancelled()) co_return Outcome(Status::cancel);
    if (state->failure) co_return query_outcome(*state->failure);
    if (state->limit_reached) {
        co_return Outcome(Status::out_of_resources, "more matches than limits.max_matches");
    }
    co_return Outcome();
}

}  // namespace sagitta::service
