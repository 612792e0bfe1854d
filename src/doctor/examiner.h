// One examination under way: what its steps share. Internal to doctor; others use examine.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/advice.h"
#include "doctor/attempt.h"
#include "doctor/examine.h"
#include "doctor/findings.h"
#include "net/ul/io_threads.h"

namespace sagitta::doctor {

/// An instance that the peer told of.
struct KnownInstance {
    std::string patient_id;  ///< only to ask for it again; never told
    std::string study;
    std::string series;
    std::string instance;
    std::string sop_class;
};

class Examiner {
public:
    explicit Examiner(const Examination& what);
    Findings run();

private:
    bool reach();
    bool associate();
    void ask_services();
    void ask_storage();
    void query();
    void move();
    void get();
    void store();

    /// False, and noted, when the step is to be skipped.
    bool wants(std::string_view step);
    void add(Finding finding);
    void explain(Finding& finding, const Attempt& made);
    [[nodiscard]] bool offers(std::string_view sop_class_uid) const;
    /// The first of both roots that the peer offers; empty when none.
    [[nodiscard]] std::string model(std::string_view study_root, std::string_view patient_root) const;
    Task<bool> find_instance(std::string sop_class, Finding& finding);
    using Ask = Task<void> (Examiner::*)(std::string sop_class, Finding& finding);
    void retrieve(const std::string& step, const std::string& sop_class, Ask ask);
    Task<void> move_instance(std::string sop_class, Finding& finding);
    void add_object_contexts(std::vector<net::scu::WantedContext>& wanted) const;
    Task<void> get_instance(std::string sop_class, Finding& finding);
    Task<void> store_object(Finding& finding);
    [[nodiscard]] dicom::DataSet identifier_of_found(bool patient_root) const;

    const Examination& what_;
    Names names_;
    Findings findings_;
    KnownInstance found_;
    std::string peer_address_;
    net::ul::IoThreads io_;
};

/// In both uncompressed transfer syntaxes.
[[nodiscard]] std::vector<net::scu::WantedContext> plain_context(std::string_view sop_class_uid);

}  // namespace sagitta::doctor
