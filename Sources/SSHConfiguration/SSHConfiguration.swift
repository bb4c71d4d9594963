/// `opk setup ssh`.
public struct SSHConfiguration {}
