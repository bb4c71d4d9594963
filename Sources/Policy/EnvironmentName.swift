import Vocabulary

/// Which variables config.yml may set for the fetcher: proxies, certificate files, a time zone, but nothing that changes which code runs.
enum EnvironmentName {
    /// `[A-Za-z_][A-Za-z0-9_]*`, and none of those below.
    static func check(_ name: Text, _ line: Int) throws(ConfigurationError) {
        let isWord = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
        guard isWord, let first = name.utf8.first, !(0x30...0x39).contains(first) else {
            throw ConfigurationError(line, "\(name) is not a name for a variable")
        }
        if names.contains(name) || prefixes.contains(where: { name.hasPrefix($0) }) {
            throw ConfigurationError(line, "\(name) may not be set: it can change which code runs or give secrets away")
        }
    }

    private static let prefixes: [Text] = [
        "LD_", "DYLD_",  // the dynamic linker loads what they name
        "SWIFT_",  // SWIFT_BACKTRACE names a program that runs after a crash
        "OPENSSL_",  // OPENSSL_CONF, _MODULES and _ENGINES name libraries to load
        "MALLOC_",  // they switch the allocator's checks off
        "BASH_FUNC_", "PYTHON", "PERL",  // no such program is run; should one ever be, it would run what they say
    ]

    private static let names: Set<Text> = [
        "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS",  // what a shell runs, and how it reads it
        "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES",  // the C library loads what they name, or changes its defences
        "SSLKEYLOGFILE",  // libcurl would write each connection's keys there
    ]
}
