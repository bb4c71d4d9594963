internal import CQREncode

/// The modules of a QR code (ISO/IEC 18004), without its quiet zone: 21 to 177 rows of as many columns.
public struct QRMatrix: Hashable, Sendable {
    /// Modules on one side.
    public let size: Int
    /// Row by row; true is dark.
    private let modules: [Bool]

    /// The smallest code that holds these bytes (8-bit mode). Level L corrects 7 % of damage; where M, which corrects 15 %, needs no larger
    /// code, it is M. Nil where there is nothing to encode, or more than 2953 bytes, which no code holds.
    public init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count <= QRMatrix.mostBytes, let code = QRMatrix.encode(bytes, QR_ECLEVEL_L) else { return nil }
        if let better = QRMatrix.encode(bytes, QR_ECLEVEL_M), better.size == code.size { self = better } else { self = code }
    }

    /// Version 40, level L.
    static let mostBytes = 2953

    init(size: Int, modules: [Bool]) {
        self.size = size
        self.modules = modules
    }

    private static func encode(_ bytes: [UInt8], _ level: QRecLevel) -> QRMatrix? {
        // Unsafe: the library copies the bytes that it is told the number of, and gives a code of width × width bytes that is ours to free.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let code = unsafe QRcode_encodeData(Int32(buffer.count), buffer.baseAddress, 0, level) else { return nil }
            defer { unsafe QRcode_free(code) }
            let size = Int(unsafe code.pointee.width)
            guard size > 0, let data = unsafe code.pointee.data else { return nil }
            // The lowest bit is the colour; the others say what the module is for.
            return QRMatrix(size: size, modules: (0..<size * size).map { unsafe data[$0] & 1 == 1 })
        }
    }

    /// Light outside of the code: that is its quiet zone.
    public func isDark(row: Int, column: Int) -> Bool {
        guard (0..<size).contains(row), (0..<size).contains(column) else { return false }
        return modules[row * size + column]
    }
}
