import PKToken
import Vocabulary

/// The options of a row of `providers`: POLICY.md, "providers". An unknown one disables the row, as does one that is there twice.
struct ProviderOptionColumn {
    private(set) var options: ProviderOptions = []
    private(set) var keys = KeyOptions()

    init(_ column: Text) throws(RowFault) {
        var seen: Set<Text> = []
        for option in try OptionList(column).options {
            guard seen.insert(option.name).inserted else { throw RowFault("the option \(option.name) is there twice") }
            try take(option)
        }
        if let refresh = keys.refreshAfter, let age = keys.maximumAge, refresh > age {
            throw RowFault("refresh-after (\(refresh)) is longer than max-age (\(age))")
        }
    }

    private mutating func take(_ option: OptionList.Option) throws(RowFault) {
        if let flag = ProviderOptionColumn.flags[option.name] {
            try OptionList.flag(option)
            options.insert(flag)
            return
        }
        switch option.name {
        case "refresh-after": keys.refreshAfter = try span(option, KeySettings.refreshBounds)
        case "max-age": keys.maximumAge = try span(option, KeySettings.ageBounds)
        case "timeout": keys.timeout = try span(option, KeySettings.timeoutBounds)
        case "ca":
            let path = try OptionList.value(option)
            guard path.hasPrefix("/") else { throw RowFault("ca=\"\(path)\" is not an absolute path") }
            keys.authorities = path
        default: throw RowFault("the option \(option.name) is not known in this version")
        }
    }

    private static let flags: [Text: ProviderOptions] = [
        "trust-unverified-email": .trustUnverifiedEmail, "require-verified-email": .requireVerifiedEmail,
        "access-token-type": .accessTokenType, "key-binding": .keyBinding,
    ]

    private func span(_ option: OptionList.Option, _ bounds: ClosedRange<TimeSpan>) throws(RowFault) -> TimeSpan {
        let value = try OptionList.value(option)
        guard let span = TimeSpan(value), bounds.contains(span) else {
            throw RowFault("\(option.name)=\"\(value)\" is not a time from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return span
    }
}
