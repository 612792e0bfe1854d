#include "app/deid_projects.h"

#include <fmt/format.h>

#include <utility>

namespace sagitta::app {

std::vector<std::string> deid_problems(const Configuration& configuration) {
    std::vector<std::string> found;
    for (const auto& settings : configuration.projects) {
        for (const auto& problem : deid::Project::problems(settings))
            found.push_back(fmt::format("[deid.{}]: {}", settings.name, problem));
    }
    return found;
}

Result<void> DeidProjects::open(const Configuration& configuration) {
    for (const auto& settings : configuration.projects) {
        auto project =
            deid::Project::open(settings, fmt::format("{}/deid/{}", configuration.node.data, settings.name));
        if (!project) return std::move(project).error().within(fmt::format("[deid.{}]", settings.name));
        projects_.emplace(settings.name, std::move(*project));
    }
    return {};
}

deid::Project* DeidProjects::find(std::string_view name) const {
    const auto found = projects_.find(name);
    return found == projects_.end() ? nullptr : found->second.get();
}

std::vector<service::SenderRule> DeidProjects::rules(const std::vector<Sender>& senders) const {
    std::vector<service::SenderRule> rules;
    for (const Sender& sender : senders)
        rules.push_back({sender.from, sender.match, find(sender.deidentify)});
    return rules;
}

void DeidProjects::finish(std::uint64_t association) {
    for (const auto& [name, project] : projects_) project->finish(association);
}

std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> ReportingGate::admit(
    const net::dimse::AssociationInfo& info) {
    return gate_.admit(info);
}

void ReportingGate::closed(const net::dimse::AssociationInfo& info) {
    gate_.closed(info);
    if (!projects_.empty()) workers_.post([this, id = info.id] { projects_.finish(id); });
}

}  // namespace sagitta::app
