/// The version of the whole project: every program prints it for `--version`.
public enum Version {
    public static let text = "0.1.0"
}
