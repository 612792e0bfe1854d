// What an instance says of people: the strings that must not be found anywhere afterwards, as they stand
// in its attributes at all depths, in UTF-8. Knows the original only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deid/profile_table.h"
#include "deid/pseudonyms.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"

namespace sagitta::deid {

/// A string and how it is to be found in other text.
struct IdentityString {
    /// What may not stand right before or behind it, so that a short one is found as a word only.
    enum class Bounds : std::uint8_t { none, letters, digits, both };

    std::string text;  ///< in UTF-8
    IdentityKind kind = IdentityKind::name;
    Bounds bounds = Bounds::none;
};

struct Identity {
    PatientIdentity patient;
    std::vector<IdentityString> strings;  ///< each once; longer ones before shorter ones
    /// Bytes of names that their own character set does not explain.
    std::vector<std::string> raw;
    /// Every character set that the instance states anywhere.
    std::vector<dicom::CharacterSet> character_sets;
    bool complete = true;  ///< false: there was more than anybody could look for
};

/// What options retain (institution, device, full dates) is not looked for. Without a Patient ID, name and
/// birth date stand for it, or else the Study Instance UID.
[[nodiscard]] Identity harvest(const dicom::DataSet& instance, const OptionSet& options);

}  // namespace sagitta::deid
