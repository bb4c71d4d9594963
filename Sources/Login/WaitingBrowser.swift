/// A browser whose request was not answered yet: it waits to be sent to the provider.
///
/// If nobody sends it anywhere, because the login ended before, it is told so.
public final class WaitingBrowser {
    private let socket: Socket
    private var isAnswered = false

    init(_ socket: Socket) {
        self.socket = socket
    }

    deinit {
        if !isAnswered { socket.sendAndDrain(CallbackPage.failed.response()) }
    }

    /// Sends it on, once. False where the URL is none that a browser should be sent to.
    func lead(to url: String) -> Bool {
        guard !isAnswered, Browser.isHarmless(url) else { return false }
        isAnswered = true
        socket.sendAndDrain(CallbackPage.start(url).response())
        return true
    }
}
