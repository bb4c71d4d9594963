import HTTP
import JOSE
import Vocabulary

/// Which endpoints an issuer may name (C03, C42). A document from the network must not turn us against our own network: only an issuer
/// that is this machine itself may name plain http or this machine, and an address that is not public may be named only by the issuer
/// that lies at that address.
struct Endpoint {
    private let issuer: WebURL

    init(of issuer: WebURL) {
        self.issuer = issuer
    }

    func permits(_ url: WebURL) -> Bool {
        if url.host.isLoopbackByName { return issuer.host.isLoopbackByName }
        return !url.host.isLocal || url.host.lowercased == issuer.host.lowercased
    }

    /// Nil where the document has no such member.
    func url(_ name: String, in document: JSONObject) throws(OIDCError) -> WebURL? {
        guard let value = document[Text(name)] else { return nil }
        guard let text = value.string else { throw .endpoint(name) }
        return try url(name, text)
    }

    func url(_ name: String, _ text: Text) throws(OIDCError) -> WebURL {
        guard let url = try? WebURL(parsing: text), permits(url) else { throw .endpoint(name) }
        return url
    }
}
