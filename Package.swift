// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target of ours: Swift 6 mode, strict about imports and existentials, warnings are errors.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

extension Target.Dependency {
  static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
  static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
  static let collections = product(name: "OrderedCollections", package: "swift-collections")
  static let hashTrees = product(name: "HashTreeCollections", package: "swift-collections")
  static let grdb = product(name: "GRDB", package: "GRDB.swift")
  static let grdbSQLite = product(name: "GRDBSQLite", package: "GRDB.swift")
  static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
  static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
  static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
  static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let logging = product(name: "Logging", package: "swift-log")
  static let nioCore = product(name: "NIOCore", package: "swift-nio")
  static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
  static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
  static let nioWebSocket = product(name: "NIOWebSocket", package: "swift-nio")
  static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
  static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
  static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
  static let yams = product(name: "Yams", package: "Yams")
}

let package = Package(
  name: "martlet",
  products: [
    .executable(name: "martlet", targets: ["martlet"]),
    .executable(name: "martlet-supervisor", targets: ["martlet-supervisor"]),
    .executable(name: "martlet-simulate", targets: ["martlet-simulate"]),
    .library(name: "MartletModel", targets: ["MartletModel"]),
    .library(name: "MartletSearch", targets: ["MartletSearch"]),
    .library(name: "MartletSeries", targets: ["MartletSeries"]),
  ],
  // Exact versions: Package.resolved is not committed, and the WebSocket upgrade leans on NIO's inner order.
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
  ],
  targets: [
    .target(name: "MartletModel", dependencies: [.collections], swiftSettings: strict),
    .target(
      name: "MartletSearch", dependencies: ["MartletModel", "CMartletNumerics", .collections, .hashTrees],
      swiftSettings: strict),
    .target(name: "CMartletNumerics"),
    .target(
      name: "MartletScheduling", dependencies: ["MartletModel", "MartletSearch", .collections, .hashTrees],
      swiftSettings: strict),
    .target(
      name: "MartletFormats",
      dependencies: ["MartletModel", "MartletSearch", "MartletScheduling", .collections, .yams],
      swiftSettings: strict),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(
      name: "MartletSeries", dependencies: ["MartletModel", "CZstd", .collections], swiftSettings: strict),
    .target(
      name: "MartletStore",
      dependencies: ["MartletModel", "MartletSeries", .collections, .grdb, .grdbSQLite],
      swiftSettings: strict),
    .target(
      name: "MartletTracking",
      dependencies: ["MartletModel", "MartletSeries", "MartletStore", .collections, .logging],
      swiftSettings: strict),
    .target(name: "CMartletSpawn"),
    .target(
      name: "MartletExecution", dependencies: ["MartletModel", "CMartletSpawn", .logging],
      swiftSettings: strict),
    .target(
      name: "MartletOrchestration",
      dependencies: [
        "MartletModel", "MartletSearch", "MartletScheduling", "MartletFormats", "MartletSeries",
        "MartletStore",
        "MartletTracking", "MartletExecution", .collections, .hashTrees, .logging,
      ], swiftSettings: strict),
    .target(
      name: "CMartletUI", cSettings: [.disableWarning("c23-extensions")]),
    .target(
      name: "MartletServer",
      dependencies: [
        "MartletModel", "MartletSeries", "MartletStore", "MartletTracking", "MartletOrchestration",
        "MartletScheduling", "CMalloc", "CMartletUI",
        .collections, .hummingbird, .hummingbirdCore, .httpTypes, .logging, .lifecycle, .nioCore, .nioHTTP1,
        .nioHTTPTypes, .nioHTTPTypesHTTP1, .nioWebSocket, .unixSignals,
      ], swiftSettings: strict),
    .executableTarget(
      name: "martlet",
      dependencies: [
        "MartletModel", "MartletSearch", "MartletFormats", "MartletSeries", "MartletStore",
        "MartletExecution",
        "MartletServer", "MartletScheduling", "MartletOrchestration",
        .argumentParser, .asyncHTTPClient, .collections, .logging, .nioCore, .nioHTTP1, .nioPosix,
      ], swiftSettings: strict),
    .executableTarget(name: "martlet-supervisor"),

    .target(
      name: "MartletTestSupport", dependencies: ["MartletModel", "MartletExecution"], path: "Tests/Support",
      swiftSettings: strict
    ),
    .target(
      name: "MartletSimulation",
      dependencies: ["MartletModel", "MartletSearch", "MartletScheduling", .collections],
      path: "Tests/Simulation", swiftSettings: strict),
    .executableTarget(
      name: "martlet-simulate",
      dependencies: ["MartletModel", "MartletSearch", "MartletScheduling", "MartletSimulation"],
      path: "Tests/Simulate", swiftSettings: strict),
    .testTarget(
      name: "MartletSchedulingTests",
      dependencies: [
        "MartletModel", "MartletSearch", "MartletScheduling", "MartletSimulation", .collections,
      ], swiftSettings: strict),
    .testTarget(
      name: "MartletModelTests", dependencies: ["MartletModel", .collections], swiftSettings: strict),
    .testTarget(
      name: "MartletSearchTests", dependencies: ["MartletModel", "MartletSearch", .collections],
      swiftSettings: strict),
    .testTarget(
      name: "MartletFormatsTests",
      dependencies: ["MartletModel", "MartletSearch", "MartletScheduling", "MartletFormats", .collections],
      swiftSettings: strict),
    .testTarget(
      name: "MartletSeriesTests",
      dependencies: ["MartletTestSupport", "MartletModel", "MartletSeries", .collections],
      swiftSettings: strict),
    .testTarget(
      name: "MartletStoreTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletSeries", "MartletStore", "MartletExecution",
        .collections, .grdb, .grdbSQLite,
      ], exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "MartletTrackingTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletSeries", "MartletStore", "MartletTracking",
        "MartletExecution", .collections,
      ], exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "MartletExecutionTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletExecution", "martlet-supervisor", .collections,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MartletOrchestrationTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletSearch", "MartletScheduling", "MartletFormats",
        "MartletSeries", "MartletStore",
        "MartletTracking", "MartletExecution", "MartletOrchestration", "martlet-supervisor", .collections,
        .logging, .grdb,
      ], swiftSettings: strict),
    .testTarget(
      name: "MartletServerTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletSeries", "MartletStore", "MartletTracking",
        "MartletScheduling", "MartletExecution", "MartletOrchestration", "MartletServer",
        "martlet-supervisor", .collections,
        .hummingbird, .logging,
        .httpTypes, .nioCore, .nioHTTP1, .nioWebSocket, .unixSignals,
      ], swiftSettings: strict),
    .testTarget(
      name: "MartletTests",
      dependencies: [
        "MartletTestSupport", "MartletModel", "MartletSearch", "MartletSeries", "MartletExecution",
        "martlet", "martlet-supervisor", .collections,
      ],
      swiftSettings: strict),
  ]
)
