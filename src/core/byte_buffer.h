// A growing run of bytes that is never zero-filled first: what a socket or a file is read into.
// std::vector<std::byte> would write every byte twice.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "core/object_memory.h"

namespace sagitta {

/// Owns its memory; move-only. Running out of memory throws bad_alloc (ends the process): callers
/// hold sizes against a limit first.
class ByteBuffer {
public:
    ByteBuffer() = default;
    explicit ByteBuffer(std::span<const std::byte> bytes) { append(bytes); }
    /// An empty one with `front` bytes of room before its first, and for `capacity` behind: whoever gets it
    /// can put something in front and have all of it in one run, which begins on a page (4096 bytes) of
    /// object_memory.h. Growing beyond that capacity loses the room in front.
    [[nodiscard]] static ByteBuffer with_front(std::size_t front, std::size_t capacity) {
        const auto memory = take_object_memory(front + capacity);
        ByteBuffer buffer;
        buffer.data_ = memory.data() + front;
        buffer.front_ = front;
        buffer.capacity_ = memory.size() - front;
        buffer.is_object_ = true;
        return buffer;
    }
    ByteBuffer(ByteBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)),
          front_(std::exchange(other.front_, 0)),
          is_object_(std::exchange(other.is_object_, false)) {}
    ByteBuffer& operator=(ByteBuffer&& other) noexcept {
        if (this != &other) {
            release();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
            capacity_ = std::exchange(other.capacity_, 0);
            front_ = std::exchange(other.front_, 0);
            is_object_ = std::exchange(other.is_object_, false);
        }
        return *this;
    }
    ByteBuffer(const ByteBuffer&) = delete;
    ByteBuffer& operator=(const ByteBuffer&) = delete;
    ~ByteBuffer() { release(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::byte* data() noexcept { return data_; }
    [[nodiscard]] const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::span<const std::byte> span() const noexcept { return {data_, size_}; }

    /// The room before the first byte, uninitialised; empty unless it was made so.
    [[nodiscard]] std::span<std::byte> front() noexcept { return {data_ - front_, front_}; }

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
        // Of large ones realloc moves pages instead of bytes.
        void* moved = is_object_ ? std::malloc(next) : std::realloc(data_, next);
        if (moved == nullptr) throw std::bad_alloc();
        if (is_object_) {
            std::memcpy(moved, data_, size_);
            release();
        }
        data_ = static_cast<std::byte*>(moved);
        capacity_ = next;
        front_ = 0;
        is_object_ = false;
    }
    void release() noexcept {
        if (is_object_)
            give_back_object_memory(data_ - front_);
        else
            std::free(data_);
    }

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;  // behind data_
    std::size_t front_ = 0;     // before data_
    bool is_object_ = false;    // whose memory it is
};

}  // namespace sagitta
