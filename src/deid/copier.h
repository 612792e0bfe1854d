// The walk that makes the de-identified copy: every element of every level is decided upon, and what was
// decided is done. No recursion. One object per instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deid/decision.h"
#include "deid/identity.h"
#include "deid/pseudonyms.h"
#include "deid/report.h"
#include "deid/residue.h"
#include "dicom/builder.h"
#include "dicom/character_set.h"

namespace sagitta::deid {

/// All that stays the same while one instance is copied; outlives the Copier.
struct CopyContext {
    const Profile& profile;
    const Pseudonyms& pseudonyms;
    const Identity& identity;
    const Residue& residue;
    const ActiveRules& rules;
    std::string patient_pseudonym;
    std::int32_t shift_days = 0;
    std::optional<std::uint8_t> iod;
};

class Copier {
public:
    Copier(const dicom::DataSet& original, const CopyContext& context, InstanceReport& report, int depth = 0)
        : original_(original),
          context_(context),
          report_(report),
          builder_(original),
          private_may_stay_(context.profile.options.contains(Option::retain_safe_private) ||
                            !context.profile.rules.empty()),
          depth_(depth) {}

    /// The copy, without markers.
    [[nodiscard]] dicom::DataSet run();
    /// Old UID and new UID of everything that was replaced.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& uids() const noexcept {
        return uids_;
    }

private:
    /// A level of elements, or the items of a sequence.
    struct Frame {
        std::uint32_t next = 0;
        std::uint32_t first = 0;
        std::uint32_t end = 0;
        std::vector<std::uint32_t> order;  ///< when its rows do not ascend
        std::size_t at = 0;
        Tag parent;
        dicom::CharacterSet character_set;
        bool items = false;
        bool dummies = false;  ///< texts inside become dummies
    };
    /// A private block that the data set itself calls safe (PS3.3 C.12.1.1.7).
    struct StatedBlock {
        std::uint16_t group;
        std::string creator;
        bool all = false;
        std::vector<std::uint8_t> elements;
    };

    void push_level(const dicom::ElementRange& level, Tag parent, const dicom::CharacterSet& outer,
                    bool dummies);
    void push_items(const dicom::Element& sequence, bool dummies);
    [[nodiscard]] std::optional<std::uint32_t> next_row(Frame& frame) const;
    void visit(const dicom::Element& element);
    void perform(const dicom::Element& element, const Decision& decision, Action action);
    void perform_dummy(const dicom::Element& element, const Decision& decision);
    void perform_clean(const dicom::Element& element, const Decision& decision);
    void clean_text(const dicom::Element& element, const Decision& decision);
    [[nodiscard]] bool is_local_meaning(const dicom::Element& element) const;
    void clean_codes(const dicom::Element& element);
    void clean_number(const dicom::Element& element, Vr vr);
    void keep(const dicom::Element& element, const Decision& decision);
    void keep_unread_sequence(const dicom::Element& element);
    void copy_levels();
    void replace_uids(const dicom::Element& element);
    void add_encoded(Tag tag, Vr vr, std::string_view utf8);
    [[nodiscard]] bool add_pseudonym(const dicom::Element& element, const Decision& decision);
    [[nodiscard]] AttributeFacts facts_of(const dicom::Element& element) const;
    [[nodiscard]] Action final_action(const dicom::Element& element, const Decision& decision) const;
    [[nodiscard]] bool block_is_kept(const dicom::Element& creator) const;
    [[nodiscard]] dicom::ElementRange level_of(const Frame& frame) const {
        return {original_, frame.first, frame.end};
    }
    void read_stated_blocks();

    const dicom::DataSet& original_;
    const CopyContext& context_;
    InstanceReport& report_;
    dicom::DataSetBuilder builder_;
    std::vector<Frame> frames_;
    std::vector<StatedBlock> stated_;
    std::vector<std::pair<std::string, std::string>> uids_;
    bool equipment_added_ = false;
    /// Nothing but a rule or Retain Safe Private keeps a private element.
    bool private_may_stay_;
    int depth_;  ///< of sequences read out of UN
};

}  // namespace sagitta::deid
