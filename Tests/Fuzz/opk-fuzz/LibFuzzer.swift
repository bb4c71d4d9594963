#if LIBFUZZER
    import FuzzTargets

    // libFuzzer's own entry (llvm: compiler-rt/lib/fuzzer/FuzzerDriver.cpp), so that it can be started from an ordinary main.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func LLVMFuzzerRunDriver(
        _ argc: UnsafeMutablePointer<Int32>, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    nonisolated(unsafe) private var chosen: FuzzTarget?

    /// Fuzzes until libFuzzer ends. `arguments` begin with the program's name.
    func runLibFuzzer(_ target: FuzzTarget, _ arguments: [String]) -> Int32 {
        unsafe chosen = target
        let argv = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { unsafe argv[index] = strdup(argument) }
        unsafe argv[arguments.count] = nil
        var count = Int32(arguments.count)
        var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe argv
        return unsafe LLVMFuzzerRunDriver(&count, &pointer) { bytes, count in unsafe fuzzOneInput(bytes, count) }
    }

    /// What libFuzzer's library asks for by this name, whether or not it is used.
    @_cdecl("LLVMFuzzerTestOneInput")
    func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        let input = unsafe UnsafeBufferPointer(start: bytes, count: count)
        unsafe chosen?.run(Array(input))
        return 0
    }

    /// AddressSanitizer asks this. Swift keeps an enum's case in spare bits of the pointer that it holds, so that the leak checker does not
    /// see the pointer and reports keys that live in a static. Memory that grows shows in libFuzzer's own limit.
    @_cdecl("__asan_default_options")
    func addressSanitizerOptions() -> UnsafePointer<CChar>? {
        unsafe UnsafeRawPointer(options.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private let options: StaticString = "detect_leaks=0"

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Darwin)
        import Darwin
    #endif
#endif
