import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Waits for SIGTERM, SIGINT or, if asked to, the end of standard input.
struct StopSignal {
    private let reasons: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init(exitWithStdin: Bool) {
        let (reasons, reason) = AsyncStream<Void>.makeStream()
        self.reasons = reasons
        sources = [SIGTERM, SIGINT].map { number in
            // Dispatch sees the signal all the same.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { reason.yield() }
            source.activate()
            return source
        }
        guard exitWithStdin else { return }
        DispatchQueue.global().async {
            while readLine(strippingNewline: false) != nil {}
            reason.yield()
        }
    }

    func wait() async {
        for await _ in reasons { break }
        for source in sources { source.cancel() }
    }
}
