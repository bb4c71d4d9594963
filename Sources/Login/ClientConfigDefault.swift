import SafeFiles
import Vocabulary

/// The file that `opk login --create-config` writes: what holds without one, and everything else as comments. opkssh reads it too.
public enum ClientConfigDefault {
    /// Makes the file, mode 0600, and its folder, mode 0700, where they are missing.
    ///
    /// - Returns: false where it is there already: then nothing is written.
    public static func create(at path: String) throws(LoginError) -> Bool {
        do throws(WriteFailure) {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try Folder.create(String(path[..<slash]), mode: 0o700) }
            try AtomicFile.write(Array(text.utf8), to: path, mode: 0o600, replacing: false)
            return true
        } catch {
            if error.alreadyThere { return false }
            throw .writing(error)
        }
    }

    public static let text = head + "\nproviders:\n" + providers

    private static let head = """
        ---
        # Whom `opk login` logs in with. opk-client-config(5) says every key; opkssh reads this file too, and passes over the keys that are opk's own.

        # Who is meant by `opk login` without a name: an alias, or webchooser for a page on which to choose.
        default_provider: webchooser

        # For every provider, where its own entry says nothing else (opk's own keys):
        # key_type: ecdsa            # or ed25519
        # valid_for: 24h             # 30m, 8h, 7d, oidc (as the ID token), never
        # store: file                # agent: the private key never touches the disk; both
        # refresh_token: keyring     # secret-service, file

        # A list here takes the place of the built-in providers, which are these. One more:
        #
        #   - alias: work            # several aliases with blanks between
        #     issuer: https://idp.example.com
        #     client_id: opk
        #     client_secret: ""      # only where the provider wants one
        #     scopes: openid email profile
        #     access_type: offline
        #     prompt: consent
        #     redirect_uris:
        #       - http://localhost:3000/login-callback
        #       - http://localhost:10001/login-callback
        #       - http://localhost:11110/login-callback
        #     remote_redirect_uri: "" # an https page that shows the address, for a browser on another machine
        #     send_access_token: false
        #     key_type: ed25519      # from here on opk's own keys
        #     valid_for: 8h
        #     store: agent
        #     hosts: ["*.example.com"]
        #     refresh_token: keyring

        """

    /// The built-in ones, as elements of the list.
    static let providers = ProviderConfig.builtIn.map { ClientConfigEntry($0).text }.joined(separator: "\n")
}
