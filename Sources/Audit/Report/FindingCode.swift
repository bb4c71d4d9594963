/// Every finding there is. A code never changes its meaning; opk-audit(1) lists them all.
public enum FindingCode: String, CaseIterable, Sendable {
    // Files of the policy
    case fileLink = "file-link"
    case fileKind = "file-kind"
    case fileOwner = "file-owner"
    case fileMode = "file-mode"
    case fileHardLinks = "file-hard-links"
    case fileSize = "file-size"
    case fileNUL = "file-nul"
    case folderOwner = "folder-owner"
    case folderMode = "folder-mode"
    case folderAbove = "folder-above"
    case fileUnreadable = "file-unreadable"
    case fileExposed = "file-exposed"
    case fileUnread = "file-unread"
    case notLookedAt = "not-looked-at"

    // providers
    case providerNone = "provider-none"
    case providerRow = "provider-row"
    case providerTwice = "provider-twice"
    case providerNever = "provider-never"
    case providerLong = "provider-long"
    case providerUnverifiedEmail = "provider-unverified-email"
    case providerHTTP = "provider-http"
    case providerAuthority = "provider-ca"
    case providerKeyAge = "provider-key-age"
    case providerUnused = "provider-unused"

    // auth_id
    case rowNone = "row-none"
    case rowBad = "row-bad"
    case rowIssuer = "row-issuer"
    case rowAccount = "row-account"
    case rowExpired = "row-expired"
    case rowExpiredLong = "row-expired-long"
    case rowFuture = "row-future"
    case rowNeverOpen = "row-never-open"
    case rowTwice = "row-twice"
    case rowVoid = "row-void"
    case rowDenied = "row-denied"
    case rowRevoked = "row-revoked"
    case rowPublicDomain = "row-public-domain"
    case rowOpenIssuer = "row-open-issuer"
    case rowWholeTenant = "row-whole-tenant"
    case rowTypo = "row-typo"
    case rowWideRepository = "row-wide-repository"
    case rowAnyRef = "row-any-ref"
    case rowBreakGlass = "row-break-glass"
    case rowRoot = "row-root"
    case rowEnvironment = "row-environment"
    case rowCommand = "row-command"

    // config.yml
    case configBad = "config-bad"
    case requireNobody = "require-nobody"
    case requireGlass = "require-break-glass"
    case denyNobody = "deny-nobody"

    // revoked
    case revokedBad = "revoked-bad"
    case revokedIssuer = "revoked-issuer"

    // policy.d
    case pluginBad = "plugin-bad"
    case pluginProgram = "plugin-program"
    case pluginName = "plugin-name"

    // Home files
    case homeFile = "home-file"
    case homeRow = "home-row"
    case homeIdle = "home-idle"

    // What opkssh does otherwise
    case opksshAdmits = "opkssh-admits"
    case opksshComment = "opkssh-comment"
    case opksshClaim = "opkssh-claim"
    case opksshEmail = "opkssh-email"
    case opksshOptions = "opkssh-options"
    case opksshProviders = "opkssh-providers"
    case opksshConfig = "opkssh-config"
    case opksshInstalled = "opkssh-installed"

    // sshd
    case sshdAbsent = "sshd-absent"
    case sshdConfig = "sshd-config"
    case sshdNone = "sshd-none"
    case sshdOther = "sshd-other"
    case sshdOrder = "sshd-order"
    case sshdPath = "sshd-path"
    case sshdArguments = "sshd-arguments"
    case sshdDashes = "sshd-dashes"
    case sshdAddressFatal = "sshd-address-fatal"
    case sshdAddressUnknown = "sshd-address-unknown"
    case sshdAddressAbsent = "sshd-address-absent"
    case sshdUser = "sshd-user"
    case sshdUserRoot = "sshd-user-root"
    case sshdUserShell = "sshd-user-shell"
    case sshdPublicKeys = "sshd-public-keys"
    case sshdMethods = "sshd-methods"
    case sshdNoAlgorithm = "sshd-no-algorithm"
    case sshdAlgorithms = "sshd-algorithms"
    case sshdMatch = "sshd-match"
    case sshdRoot = "sshd-root"
    case sshdLockedOut = "sshd-locked-out"
    case sshdKeyFiles = "sshd-key-files"
    case sshdPrincipals = "sshd-principals"
    case sshdAuthorities = "sshd-authorities"
    case sshdLogLevel = "sshd-log-level"
    case sshdPAM = "sshd-pam"
    case pamEnvironment = "pam-environment"
    case pamClose = "pam-close"
    case pamSession = "pam-session"
    case sshdExpose = "sshd-expose"
    case sshdEnvironment = "sshd-environment"

    // Programs, and the ways between them
    case programAbsent = "program-absent"
    case programMode = "program-mode"
    case programVersion = "program-version"
    case userAbsent = "user-absent"
    case sudoersBad = "sudoers-bad"
    case sudoersRule = "sudoers-rule"
    case sudoersMode = "sudoers-mode"
    case fetchWay = "fetch-way"
    case fetchSeparate = "fetch-separate"
    case homeWay = "home-way"

    // Keys, state, clock, log
    case cacheAbsent = "cache-absent"
    case cacheMode = "cache-mode"
    case keysNone = "keys-none"
    case keysOld = "keys-old"
    case keysFuture = "keys-future"
    case keysUnusable = "keys-unusable"
    case keysFailing = "keys-failing"
    case keysStray = "keys-stray"
    case stateMode = "state-mode"
    case auditLog = "audit-log"
    case minuteTimer = "minute-timer"
    case clockFree = "clock-free"
    case clockContainer = "clock-container"
    case logAbsent = "log-absent"

    public var severity: Severity {
        switch self {
        case .fileLink, .fileKind, .fileOwner, .fileMode, .fileHardLinks, .fileSize, .fileNUL, .folderOwner, .folderMode, .folderAbove,
            .fileUnreadable, .providerRow, .providerAuthority, .rowBad, .rowIssuer, .rowPublicDomain, .rowWideRepository, .configBad,
            .revokedBad, .pluginBad, .pluginProgram, .sshdConfig, .sshdNone, .sshdOther, .sshdOrder, .sshdPath, .sshdArguments,
            .sshdAddressFatal, .sshdUser, .sshdPublicKeys, .sshdNoAlgorithm, .programAbsent, .programMode, .userAbsent, .sudoersBad,
            .cacheMode, .keysUnusable, .pamEnvironment, .pamClose:
            .error
        case .notLookedAt, .fileUnread, .providerTwice, .providerNever, .providerLong, .providerUnverifiedEmail, .providerHTTP, .rowAccount,
            .rowNeverOpen, .rowVoid, .rowTypo, .rowOpenIssuer, .rowWholeTenant, .rowAnyRef, .rowBreakGlass, .rowEnvironment, .rowCommand,
            .requireNobody,
            .homeFile, .homeRow, .opksshAdmits, .opksshComment, .opksshClaim, .sshdDashes, .sshdAddressUnknown, .sshdUserRoot,
            .sshdUserShell, .sshdMethods, .sshdAlgorithms, .sshdMatch, .sshdRoot, .programVersion, .sudoersRule, .sudoersMode, .fetchWay,
            .fetchSeparate, .homeWay, .cacheAbsent, .keysOld, .keysFuture, .keysFailing, .stateMode, .auditLog, .minuteTimer, .clockFree,
            .logAbsent,
            .pamSession:
            .warning
        case .fileExposed, .providerNone, .providerKeyAge, .providerUnused, .rowNone, .rowExpired, .rowExpiredLong, .rowFuture, .rowTwice,
            .rowDenied, .rowRevoked, .rowRoot, .requireGlass, .denyNobody, .revokedIssuer, .pluginName, .homeIdle,
            .opksshEmail, .opksshOptions, .opksshProviders, .opksshConfig, .opksshInstalled, .sshdAbsent, .sshdAddressAbsent,
            .sshdLockedOut, .sshdKeyFiles, .sshdPrincipals, .sshdAuthorities, .sshdLogLevel, .sshdPAM, .sshdExpose, .sshdEnvironment,
            .keysNone, .keysStray, .clockContainer:
            .note
        }
    }

    /// What it says, for the manual.
    public var meaning: String { FindingCode.meanings[self] ?? rawValue }
}
