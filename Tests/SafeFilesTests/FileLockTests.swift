import Foundation
import Testing

@testable import SafeFiles

@Suite("A lock on a file of its own")
struct FileLockTests {
    private func holds(_ path: String) -> Bool {
        FileLock.attempt(path, waitingAtMost: 0) { if case .held = $0 { true } else { false } }
    }

    @Test("one that its holder removes is none any more: whoever waited for it takes the one that is there by now")
    func removed() {
        let scratch = Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let path = scratch.path("lock")
        let (old, waiter) = (open(path, O_RDWR | O_CREAT, 0o600), open(path, O_RDWR))
        flock(old, LOCK_EX)
        unlink(path)
        // Another one by that name, which is held as well.
        let other = open(path, O_RDWR | O_CREAT, 0o600)
        #expect(holds(path))
        flock(other, LOCK_EX)
        #expect(!holds(path))
        close(old)
        // The old one is free, and nobody's.
        #expect(flock(waiter, LOCK_EX | LOCK_NB) == 0 && !holds(path))
        close(other)
        #expect(holds(path))
        close(waiter)
    }

    @Test("who waits while the lock is removed and made anew ends up with the new one")
    func waiting() async {
        let scratch = Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let path = scratch.path("lock")
        let old = open(path, O_RDWR | O_CREAT, 0o600)
        flock(old, LOCK_EX)
        let inode: UInt64 = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let found = FileLock.attempt(path, waitingAtMost: 60_000) { state -> UInt64 in
                    var facts = stat()
                    guard case .held = state, stat(path, &facts) == 0 else { return 0 }
                    // Nobody else can have it.
                    let third = open(path, O_RDWR)
                    defer { close(third) }
                    return flock(third, LOCK_EX | LOCK_NB) == 0 ? 1 : UInt64(facts.st_ino)
                }
                continuation.resume(returning: found)
            }
            Thread.detachNewThread {
                // It waits for the old one when it has that open.
                for _ in 0..<6000 where openings(of: path) < 2 { usleep(10_000) }
                unlink(path)
                close(old)
            }
        }
        #expect(inode > 1)
    }
}

/// How often this process has a file open.
private func openings(of path: String) -> Int {
    let own = "/proc/self/fd/"
    // As the system writes it: each slash once.
    let name = path.split(separator: "/").suffix(2).joined(separator: "/")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []
    return names.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: own + $0))?.hasSuffix(name) == true }
}
