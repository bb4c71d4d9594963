// A program that confines itself as its arguments say and then tries what they say. One line for each try: the word, and "ok" or the errno's name.
//
//     confined begin read=/etc/hostname restrict open:/etc/hostname open:/etc/passwd run:/bin/true
//
// `wait` says "waiting" and waits for the end of standard input, to be looked at from outside.

import CSystem
import Confinement

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

func say(_ text: String) {
    print(text)
    fflush(nil)
}

func name(_ number: Int32) -> String {
    switch number {
    case EACCES: "EACCES"
    case EPERM: "EPERM"
    case ENOENT: "ENOENT"
    case EAGAIN: "EAGAIN"
    case EMFILE: "EMFILE"
    case EFBIG: "EFBIG"
    case ENOMEM: "ENOMEM"
    case ECONNREFUSED: "ECONNREFUSED"
    case EXDEV: "EXDEV"
    default: "errno \(number)"
    }
}

func result(_ value: Int32) -> String { value >= 0 ? "ok" : name(errno) }

/// Starts it and waits for it.
func run(_ path: String) -> String {
    var child: pid_t = 0
    let arguments = Array(path.utf8) + [0]
    let error = opk_spawn(&child, path, arguments, arguments.count, [], 0, 0, 1, 2)
    guard error == 0 else { return name(error) }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    return status == 0 ? "ok" : "status \(status)"
}

func internet(_ port: UInt16, _ act: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) -> String {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { result(act(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))) }
    }
}

func unix(_ path: String) -> String {
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // "@name" is an abstract one.
    let bytes = path.hasPrefix("@") ? [0] + path.utf8.dropFirst() : Array(path.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (path.hasPrefix("@") ? 0 : 1))
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { result(connect(socket, $0, length)) }
    }
}

func attempt(_ verb: Substring, _ object: String) -> String {
    switch verb {
    case "open": return result(open(object, O_RDONLY))
    case "write": return result(open(object, O_WRONLY))
    case "make": return result(opk_open(object, O_WRONLY | O_CREAT | O_EXCL, 0o600))
    case "truncate": return result(truncate(object, 0))
    case "remove": return result(unlink(object))
    case "run": return run(object)
    case "connect": return internet(UInt16(object) ?? 0) { connect($0, $1, $2) }
    case "bind": return internet(UInt16(object) ?? 0) { bind($0, $1, $2) }
    case "unix": return unix(object)
    case "signal": return result(kill(pid_t(object) ?? 0, 0))
    case "file":
        // As many bytes as the number says: 0 at the end, where there may be so many.
        let file = opk_open("file-of-\(getpid())", O_RDWR | O_CREAT, 0o600)
        defer {
            close(file)
            unlink("file-of-\(getpid())")
        }
        return result(Int32(truncatingIfNeeded: pwrite(file, "x", 1, off_t(Int(object) ?? 0) - 1)))
    case "memory":
        let area = mmap(nil, Int(object) ?? 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        return area == MAP_FAILED ? name(errno) : "ok"
    case "descriptors":
        var count: Int32 = 0
        while dup(0) >= 0 { count += 1 }
        return "\(count + 3)"
    default: return "unknown"
    }
}

var access = Access()
var tally: OpaquePointer?
for word in CommandLine.arguments.dropFirst() {
    let parts = word.split(separator: "=", maxSplits: 1)
    let object = parts.count == 2 ? String(parts[1]) : ""
    switch parts[0] {
    case "begin": Confinement.begin()
    case "begin-second": Confinement.begin(seconds: 1)
    case "words":
        LastWords.set("refused step=", thenStepAnd: " reason=timed-out", failed: true, status: 1)
        LastWords.note(step: 8)
    case "spin": while true {}
    case "sleep": while true { sleep(100) }
    case "read": access.read.append(object)
    case "run": access.run.append(object)
    case "change": access.change.append(object)
    case "manage": access.manage.append(object)
    case "may-connect": access.mayConnect = true
    case "may-start": access.mayStartProcesses = true
    case "restrict":
        do {
            switch try Confinement.restrict(access) {
            case .restricted(let version): say("restricted \(version)")
            case .unavailable: say("unavailable")
            }
        } catch { say("failed: \(error)") }
    case "absent": break
    case "tally":
        tally = opk_tally_open(object, 1)
        opk_watchdog_catch_bus_errors()
    case "count":
        if let tally { opk_tally_add(tally, 1, 1, 1) }
        say("count \(tally == nil ? "none" : "ok")")
    case "wait":
        say("waiting")
        var byte: UInt8 = 0
        while read(0, &byte, 1) > 0 {}
    default:
        let parts = word.split(separator: ":", maxSplits: 1)
        say("\(word) \(attempt(parts[0], parts.count == 2 ? String(parts[1]) : ""))")
    }
}
