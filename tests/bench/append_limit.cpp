// append-limit FILE BYTES COUNT BATCH: appends COUNT objects of BYTES to FILE with one fdatasync per
// BATCH, and prints objects per second: the ceiling of any store that keeps its word.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int count, char** words) {
    if (count != 5) {
        std::fprintf(stderr, "usage: append-limit FILE BYTES COUNT BATCH\n");
        return 2;
    }
    const auto bytes = std::strtoull(words[2], nullptr, 10);
    const auto objects = std::strtoull(words[3], nullptr, 10);
    const auto batch = std::strtoull(words[4], nullptr, 10);
    const int file = ::open(words[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || batch == 0) return 1;
    std::vector<std::byte> object(bytes);
    for (std::size_t at = 0; at < object.size(); ++at)
        object[at] = static_cast<std::byte>(at * 2654435761u >> 13);
    const auto start = std::chrono::steady_clock::now();
    for (unsigned long long n = 1; n <= objects; ++n) {
        if (::write(file, object.data(), object.size()) != static_cast<ssize_t>(object.size())) return 1;
        if ((n % batch == 0 || n == objects) && ::fdatasync(file) != 0) return 1;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    ::close(file);
    ::unlink(words[1]);
    std::printf("%.1f\n", static_cast<double>(objects) / took.count());
    return 0;
}
