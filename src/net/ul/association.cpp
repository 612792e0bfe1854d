#include "net/ul/association.h"

#include <algorithm>
#include <atomic>

#include <asio/this_coro.hpp>

#include "net/ul/connect.h"
#include "net/ul/tcp_association.h"

namespace sagitta::net::ul {

const AcceptedPresentationContext* find_context(std::span<const AcceptedPresentationContext> contexts,
                                                PresentationContextId id) noexcept {
    const auto at =
        std::find_if(contexts.begin(), contexts.end(), [&](const auto& one) { return one.id == id; });
    return at == contexts.end() ? nullptr : &*at;
}

Task<void> AssociationUser::prepare(const AssociateRq&) {
    co_return;
}

Task<Result<void>> Association::write_from_file(int, std::span<const FilePiece>) {
    co_return Error(Errc::unsupported, "this association sends no files");
}

std::uint64_t next_association_id() noexcept {
    static std::atomic<std::uint64_t> next{1};
    return next++;
}

Task<Result<std::shared_ptr<Association>>> connect(ConnectOptions options) {
    auto executor = co_await asio::this_coro::executor;
    auto association =
        std::make_shared<TcpAssociation>(asio::ip::tcp::socket(executor), Role::requestor, options.settings,
                                         options.request.user.max_pdu_bytes, next_association_id());
    if (options.tls) association->use_tls(options.tls, options.host, options.tls_identity);
    association->set_user(options.make_user(association));
    auto opened =
        co_await association->open(std::move(options.host), options.port, std::move(options.request));
    if (!opened) co_return std::move(opened).error();
    co_return std::shared_ptr<Association>(std::move(association));
}

}  // namespace sagitta::net::ul
