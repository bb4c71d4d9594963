import JOSE
import LibCrypto
import Vocabulary

/// Shows the page with the providers on loopback, and waits for one of its links to be followed.
///
/// Two addresses, both secret. The browser is started with the first, which everybody on this machine can read in its arguments; it leads
/// to the page's own address once, and nobody else's program. The page's address stays between this process and the browser, and can be
/// shown again as often as the person likes. Pages of other sites know neither, so they can choose nothing; a browser that says where a
/// request comes from must say that it is the page itself.
final class ChooserListener {
    /// For the browser's arguments.
    let startURL: String
    /// For the person's own terminal.
    let pageURL: String
    private let connections: LoopbackConnections
    private let page: ChooserPage
    private let start: StartAddress
    private var isStarted = false

    /// Binds a free port.
    init(for providers: [ProviderConfig]) throws(LoginError) {
        let address = RedirectURI(host: .localhost, port: 0, path: "/")
        guard let connections = try LoopbackConnections(on: address) else { throw .noFreePort([address]) }
        self.connections = connections
        page = ChooserPage(providers: providers, path: Text("/choose/" + Base64URL.encode(randomBytes(32))))
        let bound = address.with(port: connections.port)
        pageURL = "http://\(bound.host.rawValue):\(bound.port)\(page.path)"
        start = StartAddress(to: pageURL)
        startURL = start.url(at: bound)
    }

    /// The number of the provider, and the browser that waits to be sent there. Throws when `deadline` has passed. `each`: called at least
    /// every second.
    func choice(before deadline: UnixTime, each: (UnixTime) -> Void = { _ in }) throws(LoginError) -> (Int, WaitingBrowser) {
        while true {
            let now = UnixTime.now()
            guard now < deadline else { throw .noChoice(aliases: page.providers.flatMap(\.aliases)) }
            each(now)
            let choice = try connections.turn(atMost: min(1000, max(1, (deadline - now) * 1000))) { socket, received throws(LoginError) in
                try hear(socket, received)
            }
            if let choice { return choice }
        }
    }

    private enum Asked {
        case start, page
        case choice(Int)
    }

    private func hear(_ socket: Socket, _ received: [UInt8]) throws(LoginError) -> LoopbackConnections.Heard<(Int, WaitingBrowser)> {
        let asked: Asked
        do throws(StrayRequest) {
            guard let head = try RequestHead.read(received, port: connections.port) else { return .notYet }
            asked = try read(head)
            if connections.isForeign(socket) { throw .otherUser }
        } catch {
            socket.sendAndDrain(CallbackPage.stray(error).response(withoutBody: RequestHead.isHead(received)))
            return .dealtWith
        }
        switch asked {
        case .choice(let index): return .awaited((index, WaitingBrowser(socket)))
        case .page: socket.sendAndDrain(page.response())
        case .start:
            guard !isStarted else {
                socket.sendAndDrain(CallbackPage.startUsed.response())
                throw .startAddressUsedTwice
            }
            isStarted = true
            socket.sendAndDrain(CallbackPage.start(start.destination).response())
        }
        return .dealtWith
    }

    private func read(_ head: RequestHead) throws(StrayRequest) -> Asked {
        guard head.isGet else { throw .otherMethod }
        guard let target = Text(validating: head.target) else { throw .otherPath }
        if equalInConstantTime(target, start.path) { return .start }
        if equalInConstantTime(target, page.path) { return .page }
        let length = page.path.utf8.count
        guard let own = Text(validating: head.target.prefix(length)), equalInConstantTime(own, page.path),
            let index = ChooserListener.number(head.target.dropFirst(length)), page.providers.indices.contains(index)
        else { throw .otherPath }
        // A browser that only looks ahead has been clicked by nobody.
        guard !head.isSpeculative, head.fetchSite == nil || head.fetchSite == "same-origin" else { throw .notClicked }
        return .choice(index)
    }

    /// `/0`, `/17`: digits without a leading zero.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        let digits = bytes.dropFirst()
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.count == 1 || digits.first != 0x30
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
