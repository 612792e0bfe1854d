// For those who only look on: the bytes of an association as they go by, unencrypted, and its end. What they
// mean is the observer's business (src/trace). Without one nothing of this costs more than a comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sagitta::net::ul {

struct End;

/// Of one association; called on its thread. Nothing given is kept.
class AssociationObserver {
public:
    virtual ~AssociationObserver() = default;
    virtual void connected(const std::string& peer_address) = 0;
    virtual void received(std::span<const std::byte> bytes) = 0;
    virtual void sent(std::span<const std::byte> bytes) = 0;
    /// So many bytes went from a file to the socket unseen: the inside of a value (PS3.8 9.3.5.1).
    virtual void sent_unseen(std::size_t bytes) = 0;
    virtual void ended(const End& end) = 0;
};

/// Thread-safe; outlives the associations.
class AssociationObservers {
public:
    virtual ~AssociationObservers() = default;
    /// Null: this association is not observed.
    [[nodiscard]] virtual std::unique_ptr<AssociationObserver> begin(std::uint64_t association_id,
                                                                     bool we_accept) = 0;
};

}  // namespace sagitta::net::ul
