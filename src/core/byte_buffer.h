// A growing run of bytes that is never zero-filled first: what a socket or a file is read into.
// std::vector<std::byte> would write every byte twice.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace sagitta {

/// Owns its memory; move-only. Running out of memory throws bad_alloc (ends the process): callers
/// hold sizes against a limit first.
class ByteBuffer {
public:
    ByteBuffer() = default;
    explicit ByteBuffer(std::span<const std::byte> bytes) { append(bytes); }
    ByteBuffer(ByteBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    ByteBuffer& operator=(ByteBuffer&& other) noexcept {
        if (this != &other) {
            std::free(data_);
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
            capacity_ = std::exchange(other.capacity_, 0);
        }
        return *this;
    }
    ByteBuffer(const ByteBuffer&) = delete;
    ByteBuffer& operator=(const ByteBuffer&) = delete;
    ~ByteBuffer() { std::free(data_); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::byte* data() noexcept { return data_; }
    [[nodiscard]] const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::span<const std::byte> span() const noexcept { return {data_, size_}; }

    /// Room for `count` more bytes behind the end, uninitialised; `commit` makes them part of it.
    [[nodiscard]] std::span<std::byte> prepare(std::size_t count) {
        if (capacity_ - size_ < count) grow(size_ + count);
        return {data_ + size_, count};
    }
    /// The first `count` prepared bytes now belong to the buffer.
    void commit(std::size_t count) noexcept { size_ += count; }

    void append(std::span<const std::byte> bytes) {
        if (bytes.empty()) return;
        std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
        commit(bytes.size());
    }
    /// Keeps the first `count` bytes and the memory. `count` must not exceed size().
    void truncate(std::size_t count) noexcept { size_ = count; }
    void clear() noexcept { size_ = 0; }
    void reserve(std::size_t capacity) {
        if (capacity > capacity_) grow(capacity);
    }

private:
    void grow(std::size_t wanted) {
        std::size_t next = capacity_ + capacity_ / 2;
        if (next < wanted) next = wanted;
        if (next < 256) next = 256;
        void* moved = std::realloc(data_, next);
        if (moved == nullptr) throw std::bad_alloc();
        data_ = static_cast<std::byte*>(moved);
        capacity_ = next;
    }

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace sagitta
