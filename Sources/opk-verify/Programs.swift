import CSystem

/// Where the helpers lie.
enum Programs {
    /// The folder of this very program, with a slash at its end: not the working folder's, not PATH's.
    static var folder: String? {
        // The text is copied.
        unsafe opk_own_folder().flatMap { unsafe String(validatingCString: $0) }
    }
}
