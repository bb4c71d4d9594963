import PKToken
import Policy
import Vocabulary

extension Auditor {
    /// Whom a row lets in who was hardly meant.
    mutating func auditIdentity(of row: AuthRow, _ file: String) {
        auditSpelling(of: row, file)
        // Further conditions decide as well, and whether they are enough is the administrator's to know.
        let isAlone = row.options.claims.isEmpty && row.account != .byClaim
        switch row.identity {
        case .emailDomain(let suffix) where PublicProviders.mailDomains.contains(suffix.lowercasedASCII.string):
            found.add(
                .rowPublicDomain, file, line: row.line, "anybody can have an address in \(suffix), and so get in",
                remedy: "name the persons")
        case .claim(let name, let value) where isAlone && PublicProviders.claimsOfEverybody.contains(name.string):
            let isPublic = PublicProviders.isPublic(row.issuer)
            found.add(
                isPublic ? .rowPublicDomain : .rowWholeTenant, file, line: row.line,
                isPublic
                    ? "everybody who logs in at \(row.issuer.escaped(limit: 100)) has \(name) \(value.escaped(limit: 100)), and anybody can"
                    : "everybody whom \(row.issuer.escaped(limit: 100)) lets log in has \(name) \(value.escaped(limit: 100))",
                remedy: "name a group or the persons")
        case .emailOrSubject, .emailDomain:
            if PublicProviders.isPublic(row.issuer), policy.trustsUnverifiedEmail(of: row.issuer) {
                found.add(
                    .rowOpenIssuer, file, line: row.line,
                    "anybody can register at \(row.issuer.escaped(limit: 100)) with any address, and trust-unverified-email asks for no proof",
                    remedy: "take trust-unverified-email out of providers")
            }
        case .repository(let glob): auditRepository(glob.pattern.string, row, file)
        case .subject(let subject) where PublicProviders.looksLikeEmail(subject.string):
            found.add(
                .rowTypo, file, line: row.line, "\(subject.escaped(limit: 100)) is taken for a subject, since it has no @: is it an email?")
        default: break
        }
    }

    /// An address that nobody has: a list written as one, or with what separates it from the next.
    private mutating func auditSpelling(of row: AuthRow, _ file: String) {
        let words: [Text] =
            switch row.identity {
            case .emailOrSubject(let word), .subject(let word), .emailDomain(let word): [word]
            case .claim("email", let word): [word]
            default: []
            }
        for word in words {
            let isSeparated = word.utf8.last.map { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") } ?? false
            guard isSeparated || word.utf8.count(where: { $0 == UInt8(ascii: "@") }) > 1 else { continue }
            found.add(
                .rowTypo, file, line: row.line,
                isSeparated
                    ? "\(word.escaped(limit: 100)) ends in a \(word.utf8.last == UInt8(ascii: ",") ? "comma" : "semicolon"): it fits nobody whose address has none"
                    : "\(word.escaped(limit: 100)) has more than one @: each person has a row of their own",
                remedy: "opk edit")
        }
    }

    /// `repo:OWNER/NAME:REST`.
    private mutating func auditRepository(_ pattern: String, _ row: AuthRow, _ file: String) {
        let isWild = { (part: Substring) in part.contains { "*?[".contains($0) } }
        let path = pattern.dropFirst("repo:".count)
        let owner = path.prefix { $0 != "/" }
        if isWild(owner) {
            found.add(
                .rowWideRepository, file, line: row.line,
                "anybody can have a repository whose owner's name fits \(Text(pattern).escaped(limit: 100))",
                remedy: "write the owner's whole name")
            return
        }
        let name = path.dropFirst(owner.count + 1).prefix { $0 != ":" }
        let rest = path.dropFirst(owner.count + 1 + name.count + 1)
        if rest.first.map({ "*?[".contains($0) }) == true {
            found.add(
                .rowAnyRef, file, line: row.line,
                "jobs of pull requests fit \(Text(pattern).escaped(limit: 100)) as well, whoever opens one",
                remedy: "write :ref:refs/heads/BRANCH or :environment:NAME")
        } else if isWild(name) {
            found.add(
                .rowAnyRef, file, line: row.line,
                "every repository of \(Text(String(owner))) whose name fits lets its writers in, those to come too",
                remedy: "write the repository's whole name")
        }
    }
}

extension PolicyFacts {
    func trustsUnverifiedEmail(of issuer: Text) -> Bool {
        providers?.rows.contains { $0.issuer == issuer && $0.options.contains(.trustUnverifiedEmail) } ?? false
    }
}

/// What anybody can have.
enum PublicProviders {
    /// With their `@`, in lower case.
    static let mailDomains: Set<String> = Set(
        [
            "gmail.com", "googlemail.com", "outlook.com", "outlook.de", "outlook.fr", "hotmail.com", "hotmail.co.uk", "hotmail.de",
            "hotmail.fr",
            "live.com", "live.de", "live.co.uk", "msn.com", "yahoo.com", "yahoo.co.uk", "yahoo.co.jp", "yahoo.de", "yahoo.fr", "ymail.com",
            "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "protonmail.ch", "pm.me", "aol.com", "gmx.com", "gmx.de",
            "gmx.net",
            "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mail.com", "mail.ru", "bk.ru", "list.ru", "inbox.ru", "yandex.com",
            "yandex.ru", "ya.ru", "rambler.ru", "qq.com", "163.com", "126.com", "sina.com", "naver.com", "daum.net", "zoho.com",
            "zohomail.com",
            "fastmail.com", "fastmail.fm", "hey.com", "tutanota.com", "tutanota.de", "tuta.io", "tuta.com", "posteo.de", "mailbox.org",
            "orange.fr",
            "free.fr", "laposte.net", "wanadoo.fr", "libero.it", "virgilio.it", "seznam.cz", "wp.pl", "o2.pl", "comcast.net", "att.net",
            "verizon.net", "bigpond.com", "rediffmail.com", "uol.com.br", "users.noreply.github.com", "privaterelay.appleid.com",
            "duck.com",
        ].map { "@" + $0 })

    /// Claims that say nothing about a person that is not so for everybody of the provider, or of the tenant.
    static let claimsOfEverybody: Set<String> = [
        "iss", "aud", "azp", "email_verified", "tid", "ver", "typ", "token_type", "tenant_ctry",
    ]

    /// Where anybody can make an account.
    static func isPublic(_ issuer: Text) -> Bool { issuers.contains(issuer.string) }

    private static let issuers: Set<String> = [
        "https://accounts.google.com", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "https://gitlab.com",
        "https://issuer.hello.coop", "https://token.actions.githubusercontent.com", "https://appleid.apple.com", "https://codeberg.org",
        "https://codeberg.org/api/actions", "https://www.facebook.com", "https://id.twitch.tv/oauth2", "https://www.linkedin.com/oauth",
        "https://oauth.platform.intuit.com/op/v1", "https://slack.com", "https://access.line.me", "https://login.yahoo.com",
        "https://api.login.yahoo.com",
    ]

    private static let endings: Set<String> = [
        "com", "org", "net", "edu", "gov", "mil", "int", "io", "dev", "app", "ai", "co", "de", "at", "ch", "uk", "fr", "it", "es", "nl",
        "be", "eu",
        "se", "no", "fi", "dk", "pl", "cz", "us", "ca", "au", "jp", "cn", "in", "br", "ru", "me", "info", "biz", "example",
    ]

    /// `alice.example.com`, `alice＠example.com`, `alice at example.com`, with what would make it an address of somebody's forgotten or changed.
    static func looksLikeEmail(_ subject: String) -> Bool {
        if subject.contains("＠") || subject.contains("﹫") || subject.contains("(at)") || subject.contains(" at ") { return true }
        guard subject.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_+".contains($0)) }) else { return false }
        let labels = subject.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { !$0.isEmpty } && endings.contains(labels.last?.lowercased() ?? "")
            && subject.contains { $0.isLetter }
    }
}
