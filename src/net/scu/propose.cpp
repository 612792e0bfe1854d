#include <algorithm>
#include <utility>

#include "net/scu/client.h"

namespace sagitta::net::scu {

namespace {

constexpr std::size_t kMaxContexts = 128;  ///< odd ids up to 255

/// Wishes with one entry a SOP class, nothing twice.
std::vector<WantedContext> merged(std::span<const WantedContext> wanted) {
    std::vector<WantedContext> classes;
    for (const auto& wish : wanted) {
        auto at = std::find_if(classes.begin(), classes.end(),
                               [&](const auto& one) { return one.sop_class_uid == wish.sop_class_uid; });
        if (at == classes.end()) {
            WantedContext fresh;
            fresh.sop_class_uid = wish.sop_class_uid;
            at = classes.insert(classes.end(), std::move(fresh));
        }
        for (const auto& syntax : wish.transfer_syntaxes) {
            auto& known = at->transfer_syntaxes;
            if (std::find(known.begin(), known.end(), syntax) == known.end()) known.push_back(syntax);
        }
    }
    return classes;
}

}  // namespace

std::vector<ul::ProposedPresentationContext> propose(std::span<const WantedContext> wanted) {
    const auto classes = merged(wanted);
    std::size_t room = kMaxContexts > classes.size() ? kMaxContexts - classes.size() : 0;
    std::vector<ul::ProposedPresentationContext> contexts;
    const auto add = [&](const std::string& sop_class, std::vector<std::string> syntaxes) {
        ul::ProposedPresentationContext context;
        context.id = static_cast<ul::PresentationContextId>(contexts.size() * 2 + 1);
        context.abstract_syntax = sop_class;
        context.transfer_syntaxes = std::move(syntaxes);
        contexts.push_back(std::move(context));
    };
    for (const auto& wish : classes) {
        if (contexts.size() == kMaxContexts) break;
        const auto& syntaxes = wish.transfer_syntaxes;
        if (syntaxes.empty()) continue;
        if (syntaxes.size() - 1 <= room) {
            room -= syntaxes.size() - 1;
            for (const auto& syntax : syntaxes) add(wish.sop_class_uid, {syntax});
        } else {
            add(wish.sop_class_uid, syntaxes);
        }
    }
    return contexts;
}

}  // namespace sagitta::net::scu
