#include "storage/attribute_indexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/log.h"
#include "dicom/character_set.h"
#include "dicom/data_set_matching.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "storage/index_writer.h"
#include "storage/ingest.h"
#include "storage/search_forms.h"
#include "storage/stored_header.h"

namespace sagitta::storage {
namespace {

using namespace std::chrono_literals;
using dicom::Vr;

constexpr std::size_t kAtOnce = 256;
constexpr auto kLookAgain = 1s;
constexpr auto kAfterAnError = 1min;

bool is_of_the_archive(const Error& error) {
    return error.code == Errc::io_failure || error.code == Errc::no_space;
}

}  // namespace

bool can_be_indexed(dicom::Tag tag) noexcept {
    const auto* entry = dicom::find_tag(tag);
    if (entry == nullptr || entry->ambiguous_vr || tag.value < 0x00080000) return false;
    switch (entry->vr) {
        case Vr::AE:
        case Vr::AS:
        case Vr::CS:
        case Vr::DA:
        case Vr::DS:
        case Vr::DT:
        case Vr::FD:
        case Vr::FL:
        case Vr::IS:
        case Vr::LO:
        case Vr::PN:
        case Vr::SH:
        case Vr::SL:
        case Vr::SS:
        case Vr::TM:
        case Vr::UI:
        case Vr::UL:
        case Vr::US: return true;
        default: return false;
    }
}

AttributeIndexer::AttributeIndexer(Ingest& ingest, const InstanceStore& store, std::vector<dicom::Tag> tags)
    : ingest_(ingest), store_(store), tags_(std::move(tags)), thread_([this] { run(); }) {}

AttributeIndexer::~AttributeIndexer() {
    stop();
}

void AttributeIndexer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void AttributeIndexer::run() {
    bool more = true;
    auto done = ingest_.exclusively(
        [&](IndexWriter& index, MemberWriter&) { return index.attributes().choose(tags_); });
    while (done && more && pause(0ms)) {
        done = ingest_.exclusively([&](IndexWriter& index, MemberWriter&) -> Result<void> {
            auto forgotten = index.attributes().forget_some();
            if (!forgotten) return std::move(forgotten).error();
            more = *forgotten;
            return {};
        });
    }
    if (!done) {
        if (done.error().code != Errc::shutting_down)
            log::warning("storage: attributes are not indexed: {}", done.error().message());
        return;
    }
    std::uint64_t covered = 0;
    auto wait = std::chrono::milliseconds(0);
    while (!tags_.empty() && pause(wait)) {
        auto some = cover_some();
        wait = 0ms;
        if (!some) {
            if (some.error().code == Errc::shutting_down) return;
            log::warning("storage: attributes are indexed later: {}", some.error().message());
            wait = kAfterAnError;
        } else if (*some == kAtOnce) {
            covered += *some;
        } else {
            covered += *some;
            if (covered >= kAtOnce) log::info("storage: chosen attributes of {} instances indexed", covered);
            covered = 0;
            wait = kLookAgain;
        }
    }
}

Result<std::size_t> AttributeIndexer::cover_some() {
    std::vector<UncoveredInstance> instances;
    auto done = ingest_.exclusively([&](IndexWriter& index, MemberWriter&) -> Result<void> {
        auto found = index.attributes().uncovered(kAtOnce);
        if (!found) return std::move(found).error();
        instances = std::move(*found);
        return {};
    });
    if (!done) return std::move(done).error();
    if (instances.empty()) return std::size_t{0};
    std::vector<SeriesValue> values;
    for (const auto& instance : instances) {
        if (auto read = read_values(instance, values); !read) return std::move(read).error();
    }
    done = ingest_.exclusively([&](IndexWriter& index, MemberWriter&) -> Result<void> {
        auto covered = index.attributes().cover(values, instances.back());
        return covered ? Result<void>() : Result<void>(std::move(covered).error());
    });
    if (!done) return std::move(done).error();
    return instances.size();
}

Result<void> AttributeIndexer::read_values(const UncoveredInstance& instance,
                                           std::vector<SeriesValue>& into) {
    auto stored = read_header(store_, instance.location);
    if (!stored && is_of_the_archive(stored.error())) return std::move(stored).error();
    // What is damaged or gone has no values that anybody could be answered.
    if (!stored) return {};
    const auto& header = stored->data_set;
    const auto characters = dicom::CharacterSet::parse(header.text(dicom::tags::SpecificCharacterSet));
    for (const auto tag : tags_) {
        const auto element = header.find(tag);
        if (!element) continue;
        const Vr vr = dicom::find_tag(tag)->vr;
        const auto text = dicom::match_text(*element, vr, characters);
        if (!text) continue;
        for (auto& form : search_forms(vr, *text)) into.push_back({tag, instance.series, std::move(form)});
    }
    return {};
}

bool AttributeIndexer::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace sagitta::storage
