// An examination of a peer, printed: for people, or as JSON.
#pragma once

#include "doctor/findings.h"

namespace sagitta::tools {

void print_findings(const doctor::Findings& findings);
void print_findings_json(const doctor::Findings& findings);

}  // namespace sagitta::tools
