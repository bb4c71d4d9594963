import CSystem
import ChildProcess
import Confinement
import Verifier

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A second process of opk-verify, made before the first confines itself, which starts the helpers that a confined process could not (sudo refuses to run in
/// one), and does nothing else. It holds one end of a socket and no other descriptor, looks at nothing hostile but the head of a request
/// (`HelperRequest`), and dies with the first.
struct Broker {
    let arguments: Arguments
    let mode: FetchMode
    /// What comes of the plugins' environment, as `HelperRequest.Kind.plugins` carries it.
    var plugins: (_ question: [UInt8], _ milliseconds: Int) -> [UInt8] = { _, _ in [] }

    /// Requests for one decision: keys, their renewal, the account's number, home, userinfo, plugins. Whoever took the first process over has no more.
    static let mostRequests = 6
    /// Seconds: longer than the first process lives, whatever the settings.
    static let life: UInt32 = 60

    /// The first process's end of the socket; nil where no second could be made.
    func start() -> Int32? {
        var channel: Int32 = -1
        // Both processes go on from here; one descriptor is written.
        let child = unsafe opk_fork_with_channel(&channel, Broker.life)
        if child < 0 { return nil }
        if child > 0 { return channel }
        serve(on: channel)
        _exit(0)
    }

    /// Until the other side closes, says something that is no request, or has said enough. Each helper is run by a process of its own, so that this one is
    /// always there to see that nobody waits any more, and one helper's confinement is not the next one's.
    func serve(on channel: Int32) {
        for number in 0..<Broker.mostRequests {
            guard let request = Broker.next(on: channel), number > 0 || opk_open_standard_descriptors() == 0 else { return }
            let worker = opk_fork()
            if worker == 0 {
                work(request, on: channel)
                _exit(0)
            }
            if worker < 0 {
                Broker.send(.failed("no process can be made for a helper"), on: channel)
            } else if !Broker.wait(for: worker, on: channel, request.kind) {
                return
            }
        }
    }

    private func work(_ request: HelperRequest, on channel: Int32) {
        // Plugins have a deadline, and what still runs then is ended: not so if this process were killed meanwhile.
        if request.kind == .plugins { opk_die_with_parent(0) } else { Confinement.lowerLimits() }
        do throws(Confinement.Failure) {
            // opk-fetch as this user's own child is confined to what it needs; sudo runs in no such process.
            if mode == .direct, request.kind == .fetch || request.kind == .refresh {
                try Confinement.restrict(Enclosure(arguments).fetching)
            }
            Broker.send(answer(request), on: channel)
        } catch {
            Broker.send(.failed("opk-fetch is not started: Landlock: \(error)"), on: channel)
        }
    }

    /// Until the worker has ended, or the other side has gone: then it is ended, and the answer is false. The helper itself then ends by itself: it may be
    /// another user's, and opk-fetch's work is of use to others.
    private static func wait(for worker: pid_t, on channel: Int32, _ kind: HelperRequest.Kind) -> Bool {
        let watch = opk_pidfd(worker)
        var isGone = false
        if watch >= 0 {
            // No events of the channel are asked for: its end is always told.
            var requests = [pollfd(fd: channel, events: 0, revents: 0), pollfd(fd: watch, events: Int16(POLLIN), revents: 0)]
            while unsafe poll(&requests, nfds_t(requests.count), -1) < 0 && errno == EINTR {}
            isGone = requests[0].revents != 0
            close(watch)
        }
        if isGone && kind != .plugins { kill(worker, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(worker, &status, 0) < 0 && errno == EINTR {}
        return !isGone
    }

    func answer(_ request: HelperRequest) -> HelperAnswer {
        switch request.kind {
        case .home: HomeCommand(arguments).ask(within: Int(request.deadline))
        case .fetch: FetchCommand(arguments, mode).run(request.content, within: Int(request.deadline))
        case .refresh: FetchCommand(arguments, mode).start(request.content)
        case .plugins: HelperAnswer(.done, plugins(request.content, Int(request.deadline)))
        case .account: AccountNumber.answer(for: arguments.request.account)
        }
    }

    private static func next(on channel: Int32) -> HelperRequest? {
        guard let head = read(HelperRequest.headLength, from: channel), let (kind, deadline, length) = HelperRequest.announced(by: head),
            let content = read(length, from: channel)
        else { return nil }
        return HelperRequest(kind: kind, deadline: deadline, content: content)
    }

    /// So many bytes, however long they take; nil where the stream ends before.
    private static func read(_ wanted: Int, from channel: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: wanted)
        var have = 0
        while have < wanted {
            // At most the room that is left behind what is there.
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe receive(channel, $0.baseAddress?.advanced(by: have), wanted - have) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return nil }
            have += count
        }
        return bytes
    }

    /// Where the other side has gone, nobody needs it.
    private static func send(_ answer: HelperAnswer, on channel: Int32) {
        let stream = TimedStream(descriptor: channel, end: TimedStream.now() + Int64(HelperRequest.longest))
        do throws(TimedStream.Failure) { try stream.send(answer.frame) } catch {}
    }
}

// Inside `Broker` the name read is its own.
private func receive(_ number: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int { unsafe read(number, start, count) }
