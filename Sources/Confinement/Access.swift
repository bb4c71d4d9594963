/// What a process may still reach once it is restricted: paths, each with everything below it. All else is denied, as far as the kernel knows it. A
/// path that is not there, or cannot be reached, stays denied and is no error.
public struct Access: Sendable {
    /// Files are read, folders listed.
    public var read: [String] = []
    /// The same, and programs run. Their libraries have to be readable.
    public var run: [String] = []
    /// What is there is read and written.
    public var change: [String] = []
    /// The same, and files are made, replaced and removed.
    public var manage: [String] = []
    /// TCP connections are made.
    public var mayConnect: Bool
    /// Processes are started.
    public var mayStartProcesses: Bool

    public init(read: [String] = [], mayConnect: Bool = false, mayStartProcesses: Bool = false) {
        self.read = read
        self.mayConnect = mayConnect
        self.mayStartProcesses = mayStartProcesses
    }
}
