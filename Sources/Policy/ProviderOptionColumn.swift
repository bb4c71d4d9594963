import PKToken
import Vocabulary

/// The options of a row of `providers`: POLICY.md, "providers". An unknown one disables the row, as does one that is there twice.
struct ProviderOptionColumn {
    private(set) var options: ProviderOptions = []
    private(set) var keys = KeyOptions()
    private(set) var groupsClaim: Text?

    init(_ column: Text) throws(RowFault) {
        // Most rows have none, and are read on every login.
        if column.isEmpty { return }
        let list = try OptionList(column).options
        for (index, option) in list.enumerated() {
            if list[..<index].contains(where: { $0.name == option.name }) { throw RowFault("the option \(option.name) is there twice") }
            try take(option)
        }
        if let refresh = keys.refreshAfter, let age = keys.maximumAge, refresh > age {
            throw RowFault("refresh-after (\(refresh)) is longer than max-age (\(age))")
        }
    }

    private mutating func take(_ option: OptionList.Option) throws(RowFault) {
        switch option.name {
        case "trust-unverified-email": try flag(option, .trustUnverifiedEmail)
        case "require-verified-email": try flag(option, .requireVerifiedEmail)
        case "access-token-type": try flag(option, .accessTokenType)
        case "key-binding": try flag(option, .keyBinding)
        case "refresh-after": keys.refreshAfter = try span(option, KeySettings.refreshBounds)
        case "max-age": keys.maximumAge = try span(option, KeySettings.ageBounds)
        case "timeout": keys.timeout = try span(option, KeySettings.timeoutBounds)
        case "groups-claim": groupsClaim = try OptionList.value(option)
        case "ca":
            let path = try OptionList.value(option)
            guard path.hasPrefix("/") else { throw RowFault("ca=\"\(path)\" is not an absolute path") }
            keys.authorities = path
        default: throw RowFault("the option \(option.name) is not known in this version")
        }
    }

    private mutating func flag(_ option: OptionList.Option, _ flag: ProviderOptions) throws(RowFault) {
        try OptionList.flag(option)
        options.insert(flag)
    }

    private func span(_ option: OptionList.Option, _ bounds: ClosedRange<TimeSpan>) throws(RowFault) -> TimeSpan {
        let value = try OptionList.value(option)
        guard let span = TimeSpan(value), bounds.contains(span) else {
            throw RowFault("\(option.name)=\"\(value)\" is not a time from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return span
    }
}
