/// Why bytes are not what RFC 4251 section 5 or PROTOCOL.certkeys says they should be.
public enum SSHFormatError: Error, Equatable, Sendable {
    /// A length field reaches beyond the end.
    case truncated
    /// Bytes are left over after the last field.
    case trailing
    /// A number is negative or has a superfluous leading byte.
    case number
    /// Not the name of a key or certificate type that can be read.
    case type
    /// A certificate type other than user (1) and host (2).
    case certificateType
    /// Options or extensions out of order, or one of them twice.
    case optionOrder
    /// An option's value is neither empty nor exactly one string.
    case optionValue
    /// More than 256 principals.
    case tooManyPrincipals
    /// The signature's algorithm is not one of the signing key's type.
    case signatureType
}

extension SSHFormatError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated: "a length field reaches beyond the end"
        case .trailing: "bytes are left over at the end"
        case .number: "a number is negative or written with superfluous bytes"
        case .type: "its type is not one that can be read"
        case .certificateType: "it is neither a user's nor a host's"
        case .optionOrder: "options or extensions are out of order, or one of them is there twice"
        case .optionValue: "an option's or extension's value is not one string"
        case .tooManyPrincipals: "it has more than 256 principals"
        case .signatureType: "its signature's algorithm is not one of the signing key's type"
        }
    }
}

/// Reads the data types of RFC 4251 section 5 from a slice of bytes that was received whole. Every length is checked against what is
/// there before anything is copied.
public struct SSHReader {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(bytes) }

    public var isAtEnd: Bool { rest.isEmpty }
    /// Bytes left.
    public var remaining: Int { rest.count }

    public mutating func uint32() throws(SSHFormatError) -> UInt32 {
        guard rest.count >= 4 else { throw .truncated }
        defer { rest.removeFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    public mutating func uint64() throws(SSHFormatError) -> UInt64 {
        UInt64(try uint32()) << 32 | UInt64(try uint32())
    }

    /// A uint32 of length, then so many bytes.
    public mutating func string() throws(SSHFormatError) -> ArraySlice<UInt8> {
        let length = Int(try uint32())
        guard length <= rest.count else { throw .truncated }
        defer { rest.removeFirst(length) }
        return rest.prefix(length)
    }

    /// A positive mpint in its shortest form: the magnitude, big endian, without leading zeros.
    public mutating func positiveNumber() throws(SSHFormatError) -> [UInt8] {
        let bytes = try string()
        guard let first = bytes.first, first < 0x80 else { throw .number }
        if first == 0 {
            guard let second = bytes.dropFirst().first, second >= 0x80 else { throw .number }
            return Array(bytes.dropFirst())
        }
        return Array(bytes)
    }

    public func end() throws(SSHFormatError) {
        guard rest.isEmpty else { throw .trailing }
    }
}

/// Writes the data types of RFC 4251 section 5.
public struct SSHWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func uint32(_ value: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    }

    public mutating func uint64(_ value: UInt64) {
        uint32(UInt32(truncatingIfNeeded: value >> 32))
        uint32(UInt32(truncatingIfNeeded: value))
    }

    public mutating func string(_ value: some Collection<UInt8>) {
        uint32(UInt32(value.count))
        bytes += value
    }

    public mutating func string(_ value: String) { string(Array(value.utf8)) }

    /// - Parameter magnitude: big endian; leading zeros do not matter.
    public mutating func positiveNumber(_ magnitude: some Collection<UInt8>) {
        let digits = Array(magnitude.drop { $0 == 0 })
        string((digits.first ?? 0) >= 0x80 ? [0] + digits : digits)
    }

    /// Bytes that are in their final form already.
    public mutating func raw(_ value: some Collection<UInt8>) { bytes += value }
}
