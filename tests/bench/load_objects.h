// Objects to send: one data set made once, and for every object only its identity patched in place.
// All identifying values have fixed lengths, so nothing is encoded again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::bench {

/// How objects are spread: which series, study and patient object n belongs to.
struct Spread {
    std::uint64_t images_per_series = 100;
    std::uint64_t series_per_study = 4;
    std::uint64_t studies_per_patient = 2;
};

struct Identity {
    std::string sop_instance_uid;
    std::string series_uid;
    std::string study_uid;
    std::string patient_id;  ///< "LOAD" and nine digits: the patient's number
};

/// The identity of object `index` of run `run_id` (the same again for the same numbers).
[[nodiscard]] Identity identity_of(std::uint64_t run_id, std::uint64_t index, const Spread& spread);

/// A data set whose identity can be changed in place. Copies are independent.
class LoadObject {
public:
    /// A synthetic image of about `size_bytes`.
    [[nodiscard]] static Result<LoadObject> synthetic(std::size_t size_bytes);
    /// From a file of any transfer syntax that is not deflated.
    [[nodiscard]] static Result<LoadObject> from_file(const std::string& path);

    /// Makes it object `index`: identity, instance number, date and modality of its study, and marks all over
    /// the pixel data.
    void become(const Identity& identity, std::uint64_t index);

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] const std::string& sop_class_uid() const { return sop_class_uid_; }
    [[nodiscard]] const std::string& transfer_syntax_uid() const { return transfer_syntax_uid_; }

private:
    struct Place {
        std::size_t offset = 0;
        std::size_t length = 0;
    };
    void put(Place place, const std::string& value);
    [[nodiscard]] Result<void> locate();

    std::vector<std::byte> bytes_;
    std::string sop_class_uid_;
    std::string transfer_syntax_uid_;
    Place sop_instance_, series_, study_, patient_, name_, accession_, number_, date_, modality_, pixels_;
};

}  // namespace sagitta::bench
