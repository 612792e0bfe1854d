#include "deid/sealed_box.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

namespace sagitta::deid {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text, std::size_t at) {
    return reinterpret_cast<unsigned char*>(text.data() + at);
}

Error cipher_failure() {
    return {Errc::unsupported, "the cryptographic library failed"};
}

}  // namespace

Result<std::string> seal(const Digest& key, std::string_view plain, std::string_view bound) {
    if (plain.size() > (1u << 30) || bound.size() > (1u << 20))
        return Error(Errc::limit_exceeded, "too long to encrypt");
    std::string sealed(kNonceBytes + plain.size() + kTagBytes, '\0');
    const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int size = 0;
    const bool fine =
        context && RAND_bytes(bytes(sealed, 0), kNonceBytes) == 1 &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(sealed, 0)) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(bound), static_cast<int>(bound.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), bytes(sealed, kNonceBytes), &size, bytes(plain),
                          static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), bytes(sealed, kNonceBytes + plain.size()), &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                            bytes(sealed, kNonceBytes + plain.size())) == 1;
    if (!fine) return cipher_failure();
    return sealed;
}

Result<std::string> open_sealed(const Digest& key, std::string_view sealed, std::string_view bound) {
    if (sealed.size() < kNonceBytes + kTagBytes || sealed.size() > (1u << 30) + kNonceBytes + kTagBytes)
        return Error(Errc::corrupt, "an encrypted entry has an impossible length");
    const auto cipher = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
    std::string tag(sealed.substr(sealed.size() - kTagBytes));
    std::string plain(cipher.size() + 1, '\0');
    const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int size = 0;
    if (!context ||
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(sealed)) != 1 ||
        EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(bound), static_cast<int>(bound.size())) != 1 ||
        EVP_DecryptUpdate(context.get(), bytes(plain, 0), &size, bytes(cipher),
                          static_cast<int>(cipher.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes(tag, 0)) != 1) {
        return cipher_failure();
    }
    if (EVP_DecryptFinal_ex(context.get(), bytes(plain, cipher.size()), &size) != 1)
        return Error(Errc::corrupt, "an encrypted entry was changed, or belongs to another key");
    plain.resize(cipher.size());
    return plain;
}

}  // namespace sagitta::deid
