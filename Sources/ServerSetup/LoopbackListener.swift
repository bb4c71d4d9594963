#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A port of 127.0.0.1 that the system chose.
struct LoopbackListener {
    let descriptor: Int32
    let port: UInt16

    /// Nil with errno set.
    init?() {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return nil }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let made = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard made else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    /// A connection, if one comes within so many milliseconds.
    func accept(within milliseconds: Int32) -> Int32? {
        var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&question, 1, milliseconds) == 1 else { return nil }
        let connection = systemAccept(descriptor)
        return connection >= 0 ? connection : nil
    }

    /// Whether an SSH server greets whoever comes to that port of 127.0.0.1.
    static func greets(port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = loopback(port: port)
        let isThere = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isThere else { return false }
        var greeting = [UInt8](repeating: 0, count: 4)
        // At most four bytes into an array of four.
        return unsafe recv(descriptor, &greeting, 4, waitForAll) == 4 && greeting.elementsEqual("SSH-".utf8)
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

private let waitForAll = Int32(MSG_WAITALL)

// Inside of the type the name is its own.
private func systemAccept(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
