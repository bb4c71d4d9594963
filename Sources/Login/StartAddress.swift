import JOSE
import LibCrypto
import Vocabulary

/// Where a browser that opk starts is sent first: an address on our own listener that leads to the provider once.
///
/// Everybody on this machine can read a browser's arguments. With the whole authorization URL, and so the `state`, in them somebody else
/// could log in at the provider as himself and hand his answer to our listener. This address is worth nothing once the browser has used
/// it, and if a second one asks for it the login ends. Where the system says whose program asks (Linux), another user's is not led
/// anywhere.
struct StartAddress: Sendable {
    /// `/start/` and 43 characters from 32 random bytes.
    let path: Text
    /// The provider's login page, with everything that belongs to this login.
    let destination: String

    init(to destination: String) {
        path = Text("/start/" + Base64URL.encode(randomBytes(32)))
        self.destination = destination
    }

    func url(at listener: RedirectURI) -> String {
        "http://\(listener.host.rawValue):\(listener.port)\(path)"
    }
}
