// The examples of docs/PARSER.md about changing; tests/lint/check_examples.py compares them.
#include <vector>

#include <gtest/gtest.h>

#include "dicom/edit.h"
#include "dicom/generated/tags.h"

namespace {

using namespace sagitta;
using namespace sagitta::dicom;

// example: edit
Result<DataSet> corrected(const DataSet& original) {
    std::vector<Edit> edits;
    for (const auto* text : {"PatientName=Doe^Jane", "(0029,\"ACME 1.0\",10):LO=text",
                             "RequestAttributesSequence[0].ScheduledProcedureStepID=1"}) {
        auto edit = parse_set(text);
        if (!edit) return std::move(edit).error();
        edits.push_back(std::move(*edit));
    }
    return apply_edits(original, edits);  // an error says the path, never the value
}
// end of example

TEST(EditExamples, MakeACorrectedCopy) {
    const auto made = corrected(DataSet());
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->text(tags::PatientName), "Doe^Jane");
    EXPECT_EQ(made->text(Tag(0x0029, 0x1010)), "text");
    EXPECT_TRUE(made->contains(tags::RequestAttributesSequence));
}

}  // namespace
