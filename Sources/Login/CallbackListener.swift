import JOSE
import LibCrypto
import Vocabulary

/// Waits on loopback for the one answer of the provider that belongs to this login.
///
/// Whoever else connects, says something else or says nothing gets a page or is dropped, and the wait goes on (C16, C17): nobody who can
/// reach the port can end the login. An answer without this login's `state` does not count (C15). Only who knows the start address, which
/// was meant for the browser alone, ends the login by using it a second time.
final class CallbackListener {
    /// With the port that is bound.
    let redirectURI: RedirectURI
    private let connections: LoopbackConnections
    /// What came instead of the answer, each kind once: told to the person if the wait is in vain.
    private(set) var strays: [StrayRequest] = []

    /// Whether the start address has led somebody to the provider.
    private var isStarted = false

    /// Where the browser is sent with the answer, to wait for the last page: so neither the code nor the state stays in its address bar
    /// and history (C19). Like the start address a secret: the last page says who logged in.
    private let lastPage = Text("/done/" + Base64URL.encode(randomBytes(32)))

    /// Binds the first of `candidates` that is free on every loopback address it stands for (C18).
    init(firstFreeOf candidates: [RedirectURI]) throws(LoginError) {
        for candidate in candidates {
            if let connections = try LoopbackConnections(on: candidate) {
                self.connections = connections
                redirectURI = candidate.with(port: connections.port)
                return
            }
        }
        throw .noFreePort(candidates)
    }

    /// Returns with the answer, whose page is still owed, or throws when `deadline` has passed. `start`: where a browser was sent first;
    /// `each`: called at least every second.
    func answer(
        withState state: Text, start: StartAddress? = nil, before deadline: UnixTime, each: (UnixTime) -> Void = { _ in }
    ) throws(LoginError) -> ProviderAnswer {
        while true {
            let now = UnixTime.now()
            guard now < deadline else { throw .noAnswer(strays) }
            each(now)
            if let answer = try answerNow(state, start, within: min(1000, max(1, (deadline - now) * 1000))) { return answer }
        }
    }

    /// The answer, if it comes within so many milliseconds.
    func answerNow(_ state: Text, _ start: StartAddress? = nil, within milliseconds: Int64) throws(LoginError) -> ProviderAnswer? {
        let query = try connections.turn(atMost: milliseconds) { socket, received throws(LoginError) in
            try hear(socket, received, state: state, start: start)
        }
        guard let query else { return nil }
        return ProviderAnswer(query, state: state, at: self)
    }

    private func hear(
        _ socket: Socket, _ received: [UInt8], state: Text, start: StartAddress?
    ) throws(LoginError) -> LoopbackConnections.Heard<CallbackQuery> {
        do throws(StrayRequest) {
            guard let asked = try CallbackRequest.read(received, for: redirectURI, start: start?.path) else { return .notYet }
            switch asked {
            case .start: if connections.isForeign(socket) { throw .otherUser }
            case .answer(let query):
                try checkState(of: query, state)
                sendToLastPage(socket)
                return .awaited(query)
            }
        } catch {
            if !strays.contains(error) { strays.append(error) }
            socket.sendAndDrain(CallbackPage.stray(error).response(withoutBody: RequestHead.isHead(received)))
            return .dealtWith
        }
        if let start { try lead(socket, to: start) }
        return .dealtWith
    }

    private func checkState(of query: CallbackQuery, _ state: Text) throws(StrayRequest) {
        guard equalInConstantTime(query.state, state) else { throw .otherState }
    }

    /// The first one who asks for the start address is sent on; a second one should not know it.
    private func lead(_ socket: Socket, to start: StartAddress) throws(LoginError) {
        guard !isStarted else {
            socket.sendAndDrain(CallbackPage.startUsed.response())
            throw .startAddressUsedTwice
        }
        isStarted = true
        socket.sendAndDrain(CallbackPage.start(start.destination).response())
    }

    private func sendToLastPage(_ socket: Socket) {
        socket.sendAndDrain(CallbackPage.wait(lastPage).response())
    }

    /// Shows how the login ended to the browser, which as a rule waits for it since the answer. A browser that has not come after
    /// `milliseconds` does not get it: nobody else waits for that.
    fileprivate func showLast(_ page: CallbackPage, state: Text, within milliseconds: Int64 = 1000) {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while ContinuousClock.now < end {
            let isShown = try? connections.turn(atMost: 50) { socket, received throws(LoginError) in
                hearLast(socket, received, page, state)
            }
            if isShown == true { return }
        }
    }

    private func hearLast(_ socket: Socket, _ received: [UInt8], _ page: CallbackPage, _ state: Text) -> LoopbackConnections.Heard<Bool> {
        do throws(StrayRequest) {
            guard let asked = try CallbackRequest.read(received, for: redirectURI, start: lastPage) else { return .notYet }
            switch asked {
            case .start:
                guard !connections.isForeign(socket) else { throw .otherUser }
                socket.sendAndDrain(page.response())
                return .awaited(true)
            case .answer(let query):
                // The same once more: a browser that asks again.
                try checkState(of: query, state)
                sendToLastPage(socket)
            }
        } catch {
            socket.sendAndDrain(CallbackPage.stray(error).response(withoutBody: RequestHead.isHead(received)))
        }
        return .dealtWith
    }
}

/// The provider's answer, and the browser that waits until it is known how the login ended: so the page tells the truth.
struct ProviderAnswer: ~Copyable {
    let query: CallbackQuery
    private let state: Text
    private let listener: CallbackListener

    fileprivate init(_ query: CallbackQuery, state: Text, at listener: CallbackListener) {
        self.query = query
        self.state = state
        self.listener = listener
    }

    consuming func show(_ page: CallbackPage) {
        listener.showLast(page, state: state)
    }
}

/// Takes the same time wherever the two differ.
func equalInConstantTime(_ left: Text, _ right: Text) -> Bool {
    LibCrypto.equalInConstantTime(left.utf8, right.utf8)
}
