internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file descriptor with one owner; closed when that goes.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Nil where `number` is negative, as a failed call answers.
    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit { close(number) }

    /// The facts of this very file, whatever its name means by now; nil with errno set.
    borrowing func facts() -> stat? {
        var facts = stat()
        return unsafe fstat(number, &facts) == 0 ? facts : nil
    }

    /// One read(2) of up to `buffer.count` bytes into the front of `buffer`: the count, 0 at the end, nil with errno set.
    borrowing func read(into buffer: inout [UInt8]) -> Int? {
        while true {
            // The call writes at most `count` bytes and the buffer outlives it.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe receive(number, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            if errno != EINTR { return nil }
        }
    }

    /// Writes everything; false with errno set.
    borrowing func write(_ bytes: [UInt8]) -> Bool {
        var written = 0
        while written < bytes.count {
            // At most the bytes that are left, from an array that outlives the call.
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe send(number, all.baseAddress?.advanced(by: written), all.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            written += count
        }
        return true
    }
}

// Inside `Descriptor` the names read and write are its own.
private func receive(_ number: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int { unsafe read(number, start, count) }
private func send(_ number: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int { unsafe write(number, start, count) }

/// A path taken apart: its folder ("." where it names none) and its last part. Nil where that is empty, "." or "..", or has a NUL.
struct FilePath {
    let folder: String
    let name: String

    init?(_ path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.contains(0) else { return nil }
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        name = String(decoding: slash.map { bytes[($0 + 1)...] } ?? bytes[...], as: UTF8.self)
        switch slash {
        case nil: folder = "."
        case 0: folder = "/"
        case let slash?: folder = String(decoding: bytes[..<slash], as: UTF8.self)
        }
        if name.isEmpty || name == "." || name == ".." { return nil }
    }
}
