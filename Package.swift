// swift-tools-version: 6.2
//
// The house in one page: every module, what it may import, and nothing else. docs/architecture.md says why.

import PackageDescription

/// Set in CI: every warning in our own code is an error. Left off elsewhere so that a newer compiler's new warning stops nobody.
let strict = Context.environment["OPK_STRICT"] != nil
/// Set by `make fuzz`: every module is instrumented, and opk-fuzz becomes a libFuzzer program instead of a replayer.
let fuzzing = Context.environment["OPK_FUZZ"] != nil

let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : []) + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : [])

/// A test may read private parts and is not memory-safety audited line by line.
let tests: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
    + (strict ? [.treatAllWarnings(as: .error)] : [])

/// What the verifier is made of does without regular expressions and concurrency, which Swift imports everywhere unasked: they are a sixth of
/// the program and cost it time to start.
let plain: [SwiftSetting] = [
    .unsafeFlags([
        "-Xfrontend", "-disable-implicit-string-processing-module-import", "-Xfrontend", "-disable-implicit-concurrency-module-import",
    ])
]

/// sshd starts opk-verify for every key that it is shown, so its size counts: what is not called is left out, and nothing describes its types to a debugger
/// or a mirror.
let small: [SwiftSetting] = [
    .unsafeFlags(
        ["-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-reflection-metadata"], .when(configuration: .release))
]

func verifierModule(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house + plain + small)
}

func module(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: house)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: house)
}

/// - Parameter exclude: files beside the sources that the tests read, golden lists for instance.
func testing(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport", "MintingKit"], exclude: exclude, swiftSettings: tests)
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// `OPK_ONLY=PolicyTests,VerifierTests`: these targets and what they are made of, and nothing else: for a quick build while working on one thing.
let only = Context.environment["OPK_ONLY"].map { $0.split(separator: ",").map(String.init) }

/// The targets that `names` need, themselves included.
func closure(of names: [String], in all: [Target]) -> [Target] {
    var wanted = Set<String>()
    var open = names
    while let name = open.popLast() {
        guard wanted.insert(name).inserted, let target = all.first(where: { $0.name == name }) else { continue }
        for dependency in target.dependencies {
            if case .byNameItem(let name, _) = dependency { open.append(name) }
        }
    }
    return all.filter { wanted.contains($0.name) }
}

let package = Package(
    name: "opk",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "opk", targets: ["opk"]),
        .executable(name: "opk-verify", targets: ["opk-verify"]),
        .executable(name: "opk-fetch", targets: ["opk-fetch"]),
        .executable(name: "opk-home", targets: ["opk-home"]),
        .executable(name: "opk-session", targets: ["opk-session"]),
        .executable(name: "opk-demo-provider", targets: ["opk-demo-provider"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.0"),
    ],
    targets: [
        // C libraries of the system: a module map and a shim, nothing else.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .target(name: "CSystem"),

        // What the verifier is made of. None of these may import Foundation or a third-party package.
        verifierModule("Vocabulary", []),
        verifierModule("LibCrypto", ["COpenSSL", "Vocabulary"]),
        verifierModule("SSHKeys", ["LibCrypto", "Vocabulary"]),
        verifierModule("JOSE", ["LibCrypto", "Vocabulary"]),
        verifierModule("PKToken", ["JOSE", "LibCrypto", "SSHKeys", "Vocabulary"]),
        verifierModule("SafeFiles", ["CSystem", "Vocabulary"]),
        verifierModule("Policy", ["CSystem", "CYAML", "PKToken", "JOSE", "SSHKeys", "SafeFiles", "Vocabulary"]),
        verifierModule("KeyCache", ["JOSE", "LibCrypto", "SafeFiles", "Vocabulary"]),
        verifierModule("Verifier", ["PKToken", "Policy", "JOSE", "SSHKeys", "LibCrypto", "Vocabulary"]),
        verifierModule("RecentRefusals", ["CSystem", "Vocabulary"]),
        verifierModule("AuditTrail", ["CSystem", "SafeFiles", "Vocabulary"]),
        verifierModule("Sessions", ["AuditTrail", "Policy", "JOSE", "SafeFiles", "CSystem", "Vocabulary"]),
        verifierModule("ChildProcess", ["CSystem", "Vocabulary"]),
        verifierModule("Plugins", ["ChildProcess", "CSystem", "Policy", "SafeFiles", "Vocabulary"]),
        verifierModule("Confinement", ["CSystem"]),

        // What talks to the network, and the laptop.
        module("HTTP", ["CCurl", "Vocabulary"]),
        module("Display", ["JOSE", "Vocabulary"]),
        module("OIDC", ["HTTP", "JOSE", "KeyCache", "LibCrypto", "SafeFiles", "Vocabulary"]),
        module("QRCode", ["CQREncode", "Vocabulary"]),
        module("AuditReading", ["AuditTrail", "ChildProcess", "CSystem", "Display", "JOSE", "SafeFiles", "Vocabulary"]),
        module("SSHAgent", ["SSHKeys", "LibCrypto", "ChildProcess", "CSystem", "Vocabulary"]),
        module("Identities", ["JOSE", "SSHKeys", "SafeFiles", "LibCrypto", "CSystem", "Vocabulary"]),
        module("TokenStore", ["Identities", "ChildProcess", "SafeFiles", "JOSE", "CSystem", "Vocabulary"]),
        module("SSHConfiguration", ["Identities", "ChildProcess", "SafeFiles", "CSystem", "Vocabulary"]),
        module("CIToken", ["OIDC", "HTTP", "PKToken", "JOSE", "LibCrypto", "ChildProcess", "Vocabulary"]),
        module(
            "Login",
            [
                "CIToken", "TokenStore", "SSHConfiguration", "Identities", "SSHAgent", "QRCode", "OIDC", "HTTP", "Display", "Verifier",
                "PKToken", "Policy", "SSHKeys", "JOSE", "KeyCache", "LibCrypto", "SafeFiles", "ChildProcess", "CSystem", "Vocabulary",
            ]),
        module("FetchSetup", ["HTTP", "Policy", "PKToken", "SafeFiles", "Vocabulary"]),
        module(
            "KeyAdministration",
            ["FetchSetup", "OIDC", "HTTP", "Display", "KeyCache", "Policy", "PKToken", "JOSE", "LibCrypto", "SafeFiles", "Vocabulary"]),
        module(
            "Alerts",
            [
                "AuditReading", "AuditTrail", "KeyAdministration", "KeyCache", "HTTP", "Policy", "JOSE", "LibCrypto", "ChildProcess",
                "SafeFiles", "Vocabulary",
            ]),
        module(
            "PolicyExplanation",
            [
                "RecentRefusals", "Display", "KeyCache", "Verifier", "Policy", "PKToken", "SSHKeys", "JOSE", "LibCrypto", "SafeFiles",
                "AuditReading", "AuditTrail", "Vocabulary",
            ]),
        module(
            "Audit",
            [
                "KeyAdministration", "FetchSetup", "Display", "KeyCache", "Policy", "PKToken", "JOSE", "SSHKeys", "SafeFiles",
                "ChildProcess",
                "CSystem", "Vocabulary",
            ]),
        module(
            "PolicyAdministration",
            [
                "Login", "AuditTrail", "Display", "Policy", "PKToken", "JOSE", "SSHKeys", "LibCrypto", "ChildProcess", "SafeFiles",
                "Vocabulary",
            ]),
        module(
            "ServerSetup",
            [
                "PolicyAdministration", "PolicyExplanation", "Audit", "AuditTrail", "KeyCache", "Policy", "PKToken", "JOSE", "SSHKeys",
                "LibCrypto", "SafeFiles", "ChildProcess", "CSystem", "Vocabulary",
            ]),
        module(
            "DemoProvider",
            [
                "JOSE", "LibCrypto", "Vocabulary", .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ]),

        // The programs.
        .executableTarget(
            name: "opk-verify",
            dependencies: [
                "Verifier", "Policy", "Plugins", "PKToken", "KeyCache", "SafeFiles", "RecentRefusals", "AuditTrail", "ChildProcess",
                "Confinement",
                "CSystem", "JOSE", "SSHKeys", "Vocabulary",
            ],
            swiftSettings: house + plain + small),
        .executableTarget(
            name: "opk-home", dependencies: ["SafeFiles", "ChildProcess", "Confinement", "CSystem", "Vocabulary"],
            swiftSettings: house + plain + small),
        .executableTarget(
            name: "opk-session",
            dependencies: [
                "Sessions", "AuditTrail", "Policy", "PKToken", "SSHKeys", "SafeFiles", "ChildProcess", "Confinement", "CSystem",
                "Vocabulary",
            ],
            swiftSettings: house + plain + small),
        program("opk-fetch", ["ChildProcess", "FetchSetup", "OIDC", "HTTP", "KeyCache", "Vocabulary"]),
        program(
            "opk",
            [
                "CSystem", "ChildProcess", "Login", "CIToken", "TokenStore", "SSHConfiguration", "Identities", "SSHAgent", "QRCode",
                "Audit", "AuditTrail", "KeyAdministration", "PolicyAdministration", "PolicyExplanation", "Plugins",
                "Alerts", "AuditReading", "Sessions", "ServerSetup",
                "FetchSetup", "Display", "KeyCache", "OIDC", "HTTP", "Verifier", "Policy", "PKToken", "SSHKeys", "JOSE", "LibCrypto",
                "SafeFiles", "Vocabulary", arguments,
            ]),
        program("opk-demo-provider", ["ChildProcess", "DemoProvider", "JOSE", "Vocabulary", arguments]),

        // Fuzz targets: a library of functions, and a program that replays files or, under `make fuzz`, is a libFuzzer.
        module(
            "FuzzTargets",
            [
                "AuditReading", "AuditTrail", "MintingKit", "JOSE", "KeyCache", "LibCrypto", "PKToken", "Policy", "SSHKeys", "Verifier",
                "Vocabulary",
            ],
            path: "Tests/Fuzz/FuzzTargets"),
        .executableTarget(
            name: "opk-fuzz", dependencies: ["FuzzTargets", "SSHKeys", "Vocabulary"], path: "Tests/Fuzz/opk-fuzz",
            swiftSettings: house + (fuzzing ? [.define("LIBFUZZER")] : []),
            linkerSettings: fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])] : []),

        // What the tests share: other people's data beside the checkout, and logins made to be changed.
        .target(
            name: "TestSupport", dependencies: ["AuditReading", "JOSE", "ChildProcess", "Vocabulary"], path: "Tests/TestSupport",
            swiftSettings: tests),
        module("MintingKit", ["JOSE", "LibCrypto", "PKToken", "SSHKeys", "Vocabulary"], path: "Tests/MintingKit"),
        testing("VocabularyTests", ["Vocabulary"]),
        testing("LibCryptoTests", ["LibCrypto", "JOSE", "Vocabulary"]),
        testing("SSHKeysTests", ["SSHKeys", "LibCrypto", "Vocabulary"]),
        testing("JOSETests", ["JOSE", "LibCrypto", "Vocabulary"]),
        testing("PKTokenTests", ["PKToken", "JOSE", "SSHKeys", "LibCrypto", "Vocabulary"]),
        testing("SafeFilesTests", ["SafeFiles", "Vocabulary"]),
        testing("PolicyTests", ["Policy", "ChildProcess", "PKToken", "JOSE", "SSHKeys", "SafeFiles", "Vocabulary"]),
        testing(
            "PluginsTests",
            ["Plugins", "Policy", "PKToken", "JOSE", "SSHKeys", "SafeFiles", "ChildProcess", "LibCrypto", "Verifier", "Vocabulary"],
            exclude: ["opkssh_peer.py"]),
        testing("KeyCacheTests", ["KeyCache", "JOSE", "SafeFiles", "Vocabulary"]),
        testing("VerifierTests", ["Verifier", "Policy", "PKToken", "JOSE", "SSHKeys", "SafeFiles", "LibCrypto", "Vocabulary"]),
        testing(
            "OpkVerifyTests",
            [
                "opk-verify", "opk-fetch", "opk-home", "AuditTrail", "KeyCache", "ChildProcess", "CSystem", "JOSE", "LibCrypto", "SSHKeys",
                "SafeFiles", "Vocabulary",
            ],
            exclude: ["touched.txt"]),
        testing("AuditTrailTests", ["AuditTrail", "ChildProcess", "CSystem", "JOSE", "SafeFiles", "Vocabulary"]),
        testing(
            "SessionsTests",
            [
                "Sessions", "opk-session", "AuditTrail", "Policy", "SSHKeys", "LibCrypto", "JOSE", "SafeFiles", "ChildProcess", "CSystem",
                "Vocabulary",
            ]),
        testing("ChildProcessTests", ["ChildProcess", "Vocabulary"]),
        // A program that confines itself and then tries what it is told: what has been given up cannot be had back by a test.
        .executableTarget(name: "confined", dependencies: ["Confinement", "CSystem"], path: "Tests/Confined", swiftSettings: tests),
        testing("ConfinementTests", ["confined", "ChildProcess", "Confinement", "CSystem", "Vocabulary"]),
        testing("HTTPTests", ["HTTP", "ChildProcess", "Vocabulary"]),
        testing("OIDCTests", ["OIDC", "HTTP", "JOSE", "LibCrypto", "KeyCache", "ChildProcess", "Vocabulary"]),
        testing(
            "PolicyExplanationTests",
            [
                "PolicyExplanation", "Display", "opk", "opk-verify", "opk-fetch", "opk-home", "RecentRefusals", "KeyCache", "Verifier",
                "Policy",
                "PKToken", "SSHKeys", "JOSE", "LibCrypto", "SafeFiles", "ChildProcess", "CSystem", "AuditTrail", "Vocabulary",
            ], exclude: ["golden"]),
        testing(
            "AlertsTests",
            ["Alerts", "AuditTrail", "KeyAdministration", "KeyCache", "opk", "ChildProcess", "JOSE", "SafeFiles", "Vocabulary"],
            exclude: ["opk-alerts-test.yml"]),
        testing("DisplayTests", ["Display", "JOSE", "Vocabulary"]),
        testing(
            "AuditReadingTests",
            ["AuditReading", "AuditTrail", "opk", "ChildProcess", "CSystem", "JOSE", "SafeFiles", "Vocabulary"],
            exclude: ["validate.py", "shipping.py", "sender.py"]),
        testing("QRCodeTests", ["QRCode", "ChildProcess", "Vocabulary"]),
        testing("SSHAgentTests", ["SSHAgent", "SSHKeys", "LibCrypto", "ChildProcess", "CSystem", "Vocabulary"]),
        testing("IdentitiesTests", ["Identities", "SSHKeys", "LibCrypto", "SafeFiles", "JOSE", "Vocabulary"]),
        testing("TokenStoreTests", ["TokenStore", "Identities", "ChildProcess", "SafeFiles", "CSystem", "Vocabulary"]),
        testing("SSHConfigurationTests", ["SSHConfiguration", "Identities", "ChildProcess", "SafeFiles", "Vocabulary"]),
        testing(
            "CITokenTests", ["CIToken", "OIDC", "HTTP", "PKToken", "JOSE", "LibCrypto", "SSHKeys", "ChildProcess", "Vocabulary"]),
        testing(
            "KeyAdministrationTests",
            [
                "KeyAdministration", "FetchSetup", "opk", "opk-fetch", "KeyCache", "OIDC", "ChildProcess", "CSystem", "SafeFiles", "JOSE",
                "LibCrypto", "Vocabulary",
            ]),
        testing(
            "AuditTests",
            [
                "Audit", "opk", "opk-fetch", "KeyCache", "Policy", "ChildProcess", "CSystem", "SafeFiles", "SSHKeys", "JOSE", "LibCrypto",
                "Vocabulary",
            ]),
        testing(
            "ServerSetupTests",
            ["ServerSetup", "Audit", "Policy", "ChildProcess", "SafeFiles", "SSHKeys", "JOSE", "LibCrypto", "CSystem", "Vocabulary"]),
        testing(
            "PolicyAdministrationTests",
            [
                "PolicyAdministration", "opk", "AuditTrail", "Policy", "ChildProcess", "SafeFiles", "SSHKeys", "JOSE", "LibCrypto",
                "CSystem", "Vocabulary",
            ]),
        testing(
            "LoginTests",
            [
                "Login", "CIToken", "TokenStore", "SSHConfiguration", "Identities", "SSHAgent", "QRCode", "Display", "opk",
                "opk-demo-provider", "opk-fetch", "opk-verify", "OIDC", "HTTP", "PKToken", "ChildProcess", "SSHKeys", "SafeFiles",
                "KeyCache", "JOSE", "LibCrypto", "CSystem", "DemoProvider", "Vocabulary",
            ], exclude: ["golden", "terminal.py"]),
        // What documents show, typed and read: examples of every file and command.
        testing(
            "PolicyExamplesTests",
            ["opk", "Login", "PolicyAdministration", "Policy", "PKToken", "JOSE", "SSHKeys", "ChildProcess", "Vocabulary", arguments],
            exclude: ["opkssh_differences.py"]),
        testing("DemoProviderTests", ["DemoProvider", "JOSE", "LibCrypto", "Vocabulary"]),
        testing("FuzzReplayTests", ["FuzzTargets", "JOSE", "SSHKeys", "Vocabulary"]),
        // OpenID's own list of what a relying party must do, and the client's adversaries by their IDs.
        testing(
            "RelyingPartyTests",
            [
                "Login", "opk", "OIDC", "HTTP", "KeyCache", "PKToken", "SSHKeys", "JOSE", "LibCrypto", "ChildProcess", "SafeFiles",
                "Identities", "TokenStore", "DemoProvider", "Vocabulary",
            ]),
        testing(
            "EndToEnd", ["AuditTrail", "ChildProcess", "CSystem", "Vocabulary"],
            exclude: ["Harness/chromium.py", "Harness/opkssh_answers.py"]),
    ]
)

if let only {
    package.targets = closure(of: only, in: package.targets)
    package.products = []
}
