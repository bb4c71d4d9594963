import JOSE
import PKToken
import Policy
import Vocabulary

/// What is to be done about a refusal before policy: steps 1 to 8, and files that cannot be used.
enum Remedy {
    static func changes(for refusal: Refusal, _ person: Supposition?, _ account: [UInt8], _ now: UnixTime, _ outside: Outside) -> [Change] {
        switch refusal.code {
        case .certificateExpired, .expired: return [.logIn("this one has ended")]
        case .certificateNotYetValid, .issuedInFuture, .notYetValid:
            return [
                Change(text: "set the clocks of this machine and the provider's (or the laptop's) to the same time", action: .atProvider)
            ]
        case .accountNotInCertificate:
            let name = escaped(account, limit: 128)
            return [.logIn("without --principals, or with --principals \(name)")]
        case .issuerUnknown: return providerRow(person)
        case .audience, .authorizedParty: return providerRow(person)
        case .keysUnavailable:
            let issuer = person.map { Words.quoted($0.row.issuer) } ?? "ISSUER"
            let command = "sudo opk keys refresh \(issuer)"
            return [Change(text: command, action: .command(command))]
        case .noFittingKey, .ambiguousKey, .providerSignature:
            let issuer = person.map { Words.quoted($0.row.issuer) } ?? "ISSUER"
            return [.logIn("if it fails again, renew the provider's keys: sudo opk keys refresh \(issuer)")]
        case .unsafeFile, .configuration: return [.edit("the file", "it has to be mended before anybody is admitted (\(refusal.detail))")]
        case .timedOut, .notConfined, .cryptographyUnavailable:
            return [.edit("the system", "this is no fault of the person's: \(refusal)")]
        case .answerLost: return [.logIn("sshd had hung up before it had the answer: the connection broke, or LoginGraceTime was over")]
        case .unsafeAccount: return [.edit("the account's name", "opk admits to names of letters, digits and ._+@- only")]
        case .subject, .tokenTypeNotAllowed, .timeClaim, .refreshedToken:
            return [.atProvider("the provider's tokens have to be other ones: \(refusal)")]
        case .denied, .groupsUnknown, .revoked, .requirementNotMet, .conditionNotMet, .emailNotVerified, .noRowAdmits: return []
        case .keyUnreadable, .keyTypeMismatch, .keyTypeUnsupported, .certificateMalformed, .notAUserCertificate, .criticalOption,
            .unsafePrincipal, .signedByAnotherKey, .certificateSignature, .tokenMalformed, .tokenJSON, .tokenType, .algorithm,
            .criticalHeader, .clientClaims, .keyMismatch, .clientSignature, .commitment:
            return [.logIn("this certificate is not one that opk or opkssh makes")]
        }
    }

    private static func providerRow(_ person: Supposition?) -> [Change] {
        guard let person, !person.row.issuer.isEmpty else { return [.logIn("the token names no provider")] }
        let client = person.claims["azp"]?.string ?? person.claims["aud"]?.string ?? person.claims["aud"]?.array?.first?.string
        guard let client, !client.isEmpty else { return [.logIn("the token names no client id")] }
        let row = "\(Words.quoted(person.row.issuer))  \(Words.quoted(client))  24h"
        // Only one that would be read as it is meant.
        let parsed = Providers(parsing: Array(row.utf8)).rows.first
        guard parsed?.issuer == person.row.issuer, parsed?.clientID == client else {
            return [.edit("providers", "no row can name this issuer")]
        }
        return [.addRow("providers", row, command: nil)]
    }
}
