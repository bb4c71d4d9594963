import Foundation

/// A thread for each piece of work: it waits for processes, and the pool's two threads would make it wait for itself.
private final class OwnThreads: TaskExecutor {
    static let all = OwnThreads()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Does the work for each element, for `width` of them at a time.
func atOnce<Element: Sendable>(_ elements: [Element], width: Int = 6, _ work: @escaping @Sendable (Element) throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var rest = elements[...]
        func begin() {
            guard let element = rest.popFirst() else { return }
            group.addTask(executorPreference: OwnThreads.all) { try work(element) }
        }
        for _ in 0..<width { begin() }
        while try await group.next() != nil { begin() }
    }
}
