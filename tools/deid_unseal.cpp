#include "deid_unseal.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "core/bytes.h"
#include "core/new_file.h"
#include "deid/sealed_instance.h"
#include "dicom/uid.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> sealed_files(const std::vector<std::string>& paths) {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& path : paths) {
        if (!fs::is_directory(path, ignored)) {
            found.push_back(path);
            continue;
        }
        for (const auto& entry : fs::directory_iterator(path, ignored)) {
            if (entry.path().extension() == ".sealed") found.push_back(entry.path().string());
        }
    }
    return found;
}

Result<void> unseal_one(const std::string& path, const std::string& out, const deid::ProjectKey& key) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || file.bad()) return Error(Errc::not_found, "cannot be read");
    const auto opened = deid::open_sealed_instance(key, text.str());
    if (!opened) return opened.error();
    const auto uid = dicom::Uid::parse(opened->sop_instance_uid);
    if (!uid) return Error(Errc::malformed, "is no sealed instance");
    return write_secret(fmt::format("{}/{}.dcm", out, uid->view()), as_bytes(opened->part10));
}

}  // namespace

bool unseal(const std::vector<std::string>& in, const std::string& out, const deid::ProjectKey& key) {
    std::error_code error;
    fs::create_directories(out, error);
    if (error) {
        complain(fmt::format("{}: {}", out, error.message()));
        return false;
    }
    std::size_t written = 0;
    bool all = true;
    for (const auto& path : sealed_files(in)) {
        if (auto done = unseal_one(path, out, key); !done) {
            complain("", Error(done.error()).within(path));
            all = false;
        } else {
            ++written;
        }
    }
    print(fmt::format("{} written", written));
    if (written != 0) note("These are originals: they identify.");
    return all;
}

}  // namespace sagitta::tools
