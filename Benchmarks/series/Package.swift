// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "series-benchmark",
  dependencies: [.package(name: "martlet", path: "../..")],
  targets: [
    .executableTarget(
      name: "series",
      dependencies: [
        .product(name: "MartletModel", package: "martlet"),
        .product(name: "MartletSeries", package: "martlet"),
      ])
  ]
)
