/// A request to the listener that is not the provider's answer: it gets a page that says so, and the login goes on waiting (C16, C17).
public enum StrayRequest: Error, CaseIterable, Sendable {
    case malformed, tooLarge, otherMethod, otherHost, otherPath
    case withoutQuery, malformedQuery, repeatedParameter, codeAndError, withoutCode, withoutState, otherState, otherUser
    case notClicked

    /// HTTP status line without the version (RFC 9110 section 15).
    var status: String {
        switch self {
        case .malformed, .withoutQuery, .malformedQuery, .repeatedParameter, .codeAndError, .withoutCode: "400 Bad Request"
        case .withoutState, .otherState, .otherUser, .notClicked: "403 Forbidden"
        case .otherPath: "404 Not Found"
        case .otherMethod: "405 Method Not Allowed"
        case .tooLarge: "431 Request Header Fields Too Large"
        case .otherHost: "421 Misdirected Request"
        }
    }

    /// For the page, and for the person who waits in vain.
    var explanation: String {
        switch self {
        case .malformed: "The request was not one that a browser sends."
        case .tooLarge: "The request was too large."
        case .otherMethod: "The answer must come as a GET request; this provider seems to use response_mode=form_post."
        case .otherHost: "The request was meant for another host."
        case .otherPath: "There is nothing at this address."
        case .withoutQuery: "The answer carried nothing; this provider seems to use response_mode=fragment."
        case .malformedQuery: "The answer could not be read."
        case .repeatedParameter: "The answer said the same thing twice."
        case .codeAndError: "The answer was both a success and a failure."
        case .withoutCode: "The answer carried neither a code nor an error."
        case .withoutState: "The answer did not say which login it belongs to."
        case .otherUser: "The address for the browser was opened by another user of this machine."
        case .notClicked: "Nothing was chosen: the request did not come from a click on the page."
        case .otherState: "The answer belongs to another login than the one that is waiting here."
        }
    }

    /// Whether a person who waits in vain should hear of it: a browser asks for icons by itself.
    var isWorthMentioning: Bool { self != .otherPath && self != .malformed }
}
