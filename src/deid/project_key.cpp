#include "deid/project_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sagitta::deid {
namespace {

constexpr std::string_view kFirstLine = "sagitta de-identification key 1";
constexpr std::size_t kSecretBytes = 32;

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
}

Error file_error(Errc code, const std::string& path, std::string_view what) {
    return {code, fmt::format("{}: {}", path, what)};
}

Error system_error(const std::string& path, int number) {
    const Errc code = number == ENOENT   ? Errc::not_found
                      : number == EEXIST ? Errc::already_exists
                                         : Errc::io_failure;
    return file_error(code, path, std::strerror(number));
}

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return descriptor_; }

private:
    int descriptor_;
};

// "name = value" of the given line; empty when it says something else.
std::string_view value_of(std::string_view line, std::string_view name) {
    if (!line.starts_with(name)) return {};
    line.remove_prefix(name.size());
    if (!line.starts_with(" = ")) return {};
    return line.substr(3);
}

std::string_view next_line(std::string_view& rest) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return line;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> to) {
    if (text.size() != to.size() * 2) return false;
    for (std::size_t at = 0; at < to.size(); ++at) {
        const char* first = text.data() + 2 * at;
        const auto [end, ec] = std::from_chars(first, first + 2, to[at], 16);
        if (ec != std::errc() || end != first + 2) return false;
    }
    return true;
}

}  // namespace

struct ProjectKey::State {
    std::array<std::uint8_t, kSecretBytes> secret{};
    EVP_MAC* mac = nullptr;
    EVP_MAC_CTX* context = nullptr;  // with the key in it; copied for each use

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(mac);
        OPENSSL_cleanse(secret.data(), secret.size());
    }
};

ProjectKey::ProjectKey(std::shared_ptr<const State> state) : state_(std::move(state)) {
    const Digest digest = mac("identifier", "");
    identifier_ = hex(std::span(digest).first(8));
}

Result<ProjectKey> ProjectKey::from_bytes(std::span<const std::uint8_t> secret) {
    if (secret.size() != kSecretBytes) return Error(Errc::invalid_argument, "a key has 32 bytes");
    auto state = std::make_shared<State>();
    std::copy(secret.begin(), secret.end(), state->secret.begin());
    state->mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    state->context = state->mac != nullptr ? EVP_MAC_CTX_new(state->mac) : nullptr;
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    if (state->context == nullptr ||
        EVP_MAC_init(state->context, state->secret.data(), state->secret.size(), params) != 1) {
        return Error(Errc::unsupported, "the cryptographic library has no HMAC-SHA-256");
    }
    return ProjectKey(std::move(state));
}

Result<ProjectKey> ProjectKey::load(const std::string& path) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return system_error(path, errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return system_error(path, errno);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return file_error(
            Errc::refused, path,
            "others than its owner may read this key: chmod 600, and think about who has read it");
    }
    std::array<char, 512> buffer{};
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) return system_error(path, errno);
    std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
    std::array<std::uint8_t, kSecretBytes> secret{};
    const bool named = next_line(rest) == kFirstLine;
    const std::string id(value_of(next_line(rest), "id"));
    const bool has_key = read_hex(value_of(next_line(rest), "key"), secret);
    OPENSSL_cleanse(buffer.data(), buffer.size());
    if (!named || !has_key) return file_error(Errc::malformed, path, "is no key of `sagitta deid init-key`");
    auto key = from_bytes(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    if (key && key->identifier() != id)
        return file_error(Errc::corrupt, path, "the key is not that of its id");
    return key;
}

Result<ProjectKey> ProjectKey::create(const std::string& path) {
    std::array<std::uint8_t, kSecretBytes> secret{};
    if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
        return Error(Errc::io_failure, "no random numbers to make a key of");
    auto key = from_bytes(secret);
    if (!key) return key;
    std::string text = fmt::format("{}\nid = {}\nkey = {}\n", kFirstLine, key->identifier(), hex(secret));
    OPENSSL_cleanse(secret.data(), secret.size());
    const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.get() < 0) return system_error(path, errno);
    const auto written = ::write(file.get(), text.data(), text.size());
    const int number = errno;
    OPENSSL_cleanse(text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0) {
        ::unlink(path.c_str());
        return system_error(path, written < 0 ? number : EIO);
    }
    return key;
}

Digest ProjectKey::mac(std::string_view purpose, std::string_view first, std::string_view second) const {
    Digest digest{};
    std::size_t size = 0;
    EVP_MAC_CTX* context = EVP_MAC_CTX_dup(state_->context);
    bool fine = context != nullptr;
    for (const auto part : {purpose, first, second}) {
        std::array<std::uint8_t, 8> length{};
        for (std::size_t at = 0; at < length.size(); ++at)
            length[at] = static_cast<std::uint8_t>(std::uint64_t{part.size()} >> (8 * at));
        fine = fine && EVP_MAC_update(context, length.data(), length.size()) == 1 &&
               EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(part.data()), part.size()) == 1;
    }
    fine = fine && EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1;
    EVP_MAC_CTX_free(context);
    // Out of memory at most: going on would give everybody the same pseudonym.
    if (!fine) std::abort();
    return digest;
}

std::string sha256_hex(std::string_view bytes) {
    Digest digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        std::abort();
    return hex(digest);
}

}  // namespace sagitta::deid
