import Vocabulary

/// One request to the callback listener, read for one purpose: is it the provider's answer, or the browser that we started?
enum CallbackRequest {
    enum Asked: Equatable {
        case answer(CallbackQuery)
        /// The start address.
        case start
    }

    /// Nil while the head is not complete. `redirectURI` has the port that is bound; `start` is the path of the start address.
    static func read(_ bytes: [UInt8], for redirectURI: RedirectURI, start: Text? = nil) throws(StrayRequest) -> Asked? {
        guard let head = try RequestHead.read(bytes, port: redirectURI.port) else { return nil }
        guard head.isGet else { throw .otherMethod }
        if let start, let asked = Text(validating: head.target), equalInConstantTime(asked, start) { return .start }
        let target = head.target.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = target.first, path.elementsEqual(redirectURI.path.utf8) else { throw .otherPath }
        guard target.count == 2, !target[1].isEmpty else { throw .withoutQuery }
        return .answer(try CallbackQuery(parsing: target[1]))
    }
}
