import JOSE
import Vocabulary

/// The endpoints that can be made to fail.
enum FaultyEndpoint: String, Sendable, CaseIterable {
    case discovery, jwks, authorize, token, userinfo, device, revoke
}

/// A way to fail.
struct Fault: Sendable, Equatable {
    var kind: Kind
    /// How many more requests it hits; nil for all.
    var remaining: Int?

    enum Kind: Sendable, Equatable {
        /// Waits so many seconds, then answers well.
        case slow(seconds: Double)
        /// That status, with a short text.
        case status(Int)
        /// A discovery document with that issuer.
        case issuer(Text)
        /// A body of spaces of so many bytes; without a number it never ends.
        case huge(bytes: Int?)
        /// The good body, announced longer than it is, and then the connection closed.
        case cut
        /// Status 200 and a page for people.
        case html
        /// A redirect there; without a place to the same path on `127.0.0.1`, which is another origin than `localhost`.
        case redirect(to: Text?, status: Int)
    }

    /// The command line's way to write one: `KIND`, or `KIND:VALUE` as in `slow:3`, `status:500`, `issuer:https://evil.example`.
    init?(_ text: Text) {
        let halves = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = halves.first, let kind = Text(validating: first) else { return nil }
        self.init(kind: kind, value: halves.count > 1 ? Text(validating: halves[1]) : nil)
    }

    private init?(kind: Text, value: Text?) {
        switch kind {
        case "slow":
            guard let seconds = Double(value?.string ?? "3"), (0...3600).contains(seconds) else { return nil }
            self.kind = .slow(seconds: seconds)
        case "status":
            guard let status = Int(value?.string ?? "500"), (200...599).contains(status) else { return nil }
            self.kind = .status(status)
        case "issuer": self.kind = .issuer(value ?? "http://localhost:9/another-issuer")
        case "huge":
            guard let value else {
                self.kind = .huge(bytes: nil)
                return
            }
            guard let bytes = Int(value.string), bytes >= 0 else { return nil }
            self.kind = .huge(bytes: bytes)
        case "cut": self.kind = .cut
        case "html": self.kind = .html
        case "redirect": self.kind = .redirect(to: value, status: 302)
        default: return nil
        }
    }

    /// The control endpoint's way: a text as above, or an object `{"kind": "slow", "seconds": 3, "times": 1}` with `status`, `issuer`,
    /// `bytes` or `to` as the kind wants.
    init?(_ json: JSON) {
        if let text = json.string {
            self.init(text)
            return
        }
        guard let object = json.object, let kind = object["kind"]?.string else { return nil }
        let names: [Text: Text] = ["slow": "seconds", "status": "status", "issuer": "issuer", "huge": "bytes", "redirect": "to"]
        let value = names[kind].flatMap { object[$0] }
        self.init(kind: kind, value: value.flatMap { $0.string ?? $0.number?.text })
        if case .redirect(let to, _) = self.kind, let status = object["status"]?.number?.integer {
            guard (300...399).contains(status) else { return nil }
            self.kind = .redirect(to: to, status: Int(status))
        }
        if let times = object["times"] {
            guard let count = times.number?.integer, count > 0 else { return nil }
            remaining = Int(count)
        }
    }
}
