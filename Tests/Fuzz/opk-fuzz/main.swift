//  opk-fuzz TARGET FILE…            reads each file (or each file of a folder) through the target; a finding ends it
//  opk-fuzz TARGET [libFuzzer's]    the same door when built with OPK_FUZZ=1: see the Makefile's `fuzz`
//  opk-fuzz --seeds FOLDER [SHARED] writes FOLDER/TARGET/…: good inputs to start from, of our own making and of ../shared

import FuzzTargets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

let arguments = Array(CommandLine.arguments.dropFirst())

func usage() -> Never {
    print("usage: opk-fuzz TARGET FILE… | opk-fuzz --seeds FOLDER [SHARED]\ntargets: " + FuzzTarget.all.map(\.name).joined(separator: " "))
    exit(2)
}

if arguments.first == "--seeds" {
    guard (2...3).contains(arguments.count) else { usage() }
    do {
        try writeSeeds(to: arguments[1], shared: arguments.count == 3 ? arguments[2] : nil)
    } catch {
        print("cannot write the seeds: \(error)")
        exit(1)
    }
    exit(0)
}

// A child of libFuzzer's (-merge, -fork) is started without the target's name, and finds it in the environment.
let named = FuzzTarget.all.first { $0.name == arguments.first }
guard let target = named ?? FuzzTarget.all.first(where: { unsafe getenv("OPK_FUZZ_TARGET").map { unsafe String(cString: $0) } == $0.name })
else { usage() }
// Where scripts/fuzz says that the published data lies.
if let shared = unsafe getenv("OPK_SHARED").map({ unsafe String(cString: $0) }) { learnSharedKeys(in: shared) }
let rest = named == nil ? arguments : Array(arguments.dropFirst())

#if LIBFUZZER
    unsafe setenv("OPK_FUZZ_TARGET", target.name, 1)
    exit(runLibFuzzer(target, [CommandLine.arguments[0]] + rest))
#else
    guard !rest.isEmpty else { usage() }
    var count = 0
    for path in rest {
        for file in files(at: path) {
            guard let bytes = read(file) else {
                print("cannot read \(file)")
                exit(1)
            }
            target.run(bytes)
            count += 1
        }
    }
    print("\(target.name): \(count) inputs, no finding")
#endif
