import Testing

/// Everything here happens for real: our programs as an administrator installs them, Debian's sshd and ssh, real providers. One after the
/// other, since they share one server.
@Suite("Over real ssh", .serialized, .enabled(if: Machine.canServe, Machine.noServer), .realServer)
enum RealSSH {}
