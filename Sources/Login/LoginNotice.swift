public import Vocabulary

extension LoginFlow {
    /// What a person should see while a login goes on. Addresses are of harmless characters; everything else that is foreign is a `Text`, to
    /// be escaped.
    public enum Notice: Sendable {
        // Every wait
        /// From now on it is waited for so many seconds more: told at least once a second.
        case timeLeft(seconds: Int64)
        /// Nothing is waited for any more.
        case waitEnded

        // In a browser here
        /// The address to open, on a line of its own; `opened`: whether a browser was started.
        case open(url: String, opened: Bool)
        /// Waits at `address` for so many seconds.
        case waiting(address: String, seconds: Int64)
        /// There seems to be no browser on this machine.
        case browserElsewhere

        // In a browser elsewhere
        /// The address to open anywhere; the one at which the browser ends, which begins with `ending`, is to be pasted here.
        case askPaste(url: String, ending: String, seconds: Int64)
        /// So many characters of it have come. They are not shown: there is a code in them.
        case pasting(characters: Int)
        /// What was pasted cannot be used, and why; it may be tried so many times more.
        case pasteRefused(why: String, left: Int)

        // On another device
        case deviceCode(DeviceInvitation)
        /// The provider did not answer, and is asked again.
        case deviceRetry(why: String)
    }

    /// Where to go with which code.
    public struct DeviceInvitation: Sendable {
        /// Where the person types the code.
        public let url: String
        /// Where it is typed already.
        public let completeURL: String?
        /// Hostile.
        public let userCode: Text
        public let seconds: Int64
        /// The provider's complete address leads to another place and is not shown (C36).
        public let isCompleteIgnored: Bool
    }
}
